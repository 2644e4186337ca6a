"""Threads that do the parts of a step."""

import threading
from collections.abc import Callable
from concurrent.futures import wait
from functools import cache
from typing import Any

from ragtune.models.crew import begun
from ragtune.models.direct.single.step import STOP

MANY = 16
"""Threads of a step: more would meet longer than they read. Not measured beyond two."""


class Threads:
    """Threads that do the parts of a step at once, each waiting for the others: one step a time."""

    def __init__(self, count: int) -> None:
        """Raises RuntimeError where the system has no more threads."""
        self.count, self.lock = count, threading.Lock()
        self._pool = begun(count - 1, 1, "step") if count > 1 else None

    def run(self, work: Callable[[int], None], sync: Any) -> None:
        """``work(number)`` in every thread, the first of them the one that calls."""

        def part(number: int) -> None:
            try:
                work(number)
            except BaseException:
                sync[STOP] = 1  # the others would wait for one that does not come
                raise

        others = []
        try:
            if self._pool is not None:
                for number in range(1, self.count):
                    others.append(self._pool.submit(part, number))
            part(0)
        except BaseException:
            sync[STOP] = 1
            raise
        finally:
            wait(others)
        for other in others:
            other.result()


@cache
def threads(count: int) -> Threads:
    """Those of this process: steps of several models wait for each other."""
    return Threads(count)
