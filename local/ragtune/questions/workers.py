"""Documents drafted from at the same time, each by a thread that has a processor to itself.

A step of a small model is some hundred operations of a tenth of a millisecond. Cut among processors
one by one, these wait for each other; documents are cut once.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Workers:
    """``count`` threads; one: the thread that asks, with all the processors that it has."""

    def __init__(self, count: int) -> None:
        self.count = count

    def each(self, work: Callable[[T], R], parts: Sequence[T]) -> Iterator[R]:
        """What comes of each part, as it comes.

        What a part raises ends the others too: those that run first finish.
        """
        if self.count == 1 or len(parts) < 2:
            yield from map(work, parts)
            return
        pool = self._pool()
        tasks: list[Future[R]] = [pool.submit(work, part) for part in parts]
        try:
            for task in as_completed(tasks):
                yield task.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _pool(self) -> ThreadPoolExecutor:
        import torch

        threads, all_there = torch.get_num_threads(), threading.Barrier(self.count)
        pool = ThreadPoolExecutor(self.count, "drafting", _begin, (max(1, threads // self.count),))
        wait([pool.submit(all_there.wait) for _ in range(self.count)])
        torch.set_num_threads(threads)  # else threads begun later would have fewer, too
        return pool


def _begin(own: int) -> None:
    """Give the operations of the thread that calls this so many threads."""
    import torch

    torch.set_num_threads(own)
    torch.get_num_threads()  # what is asked first in a thread makes the number its own
