"""Threads that do the parts of a step."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import Any

from ragtune.models.direct.single.step import STOP


class Threads:
    """Threads that do the parts of a step at once, each waiting for the others: one step a time."""

    def __init__(self, count: int) -> None:
        self.count, self.lock = count, threading.Lock()
        self._pool = ThreadPoolExecutor(count - 1, "step") if count > 1 else None

    def run(self, work: Callable[[int], None], sync: Any) -> None:
        """``work(number)`` in every thread, the first of them the one that calls."""
        others = []
        try:
            if self._pool is not None:
                for number in range(1, self.count):
                    others.append(self._pool.submit(work, number))
            work(0)
        except BaseException:
            sync[STOP] = 1  # whoever is there would wait for one that does not come
            raise
        finally:
            wait(others)
        for other in others:
            other.result()


@cache
def threads(count: int) -> Threads:
    """Those of this process: steps of several models wait for each other."""
    return Threads(count)
