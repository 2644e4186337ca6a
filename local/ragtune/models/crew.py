"""Threads that each take rows, or texts, of their own.

A pass is some thousand operations of a tenth of a millisecond. Cut among threads one by one, each
ends with threads that wait for each other; rows are cut once.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import torch

FEWEST = 24
"""Tokens that a thread is worth: products of fewer rows are bound by reading the weights."""
UNEVEN = 1.5
"""How many times an even share the largest may be, for threads to take rows of their own."""

T = TypeVar("T")
R = TypeVar("R")


class Crew:
    """As many threads as PyTorch has in the process that makes it."""

    def __init__(self) -> None:
        self.threads = torch.get_num_threads()
        self._pools: dict[int, ThreadPoolExecutor] = {}

    def shares(self, rows: Sequence[T], length: Callable[[T], int]) -> list[list[T]]:
        """Rows dealt out, alike in tokens; in one share where they cannot be."""
        lengths = [length(row) for row in rows]
        whole = sum(lengths)
        count = max(1, min(self.threads, len(rows), whole // FEWEST))
        found: list[list[T]] = [[] for _ in range(count)]
        sums = [0] * count
        for place in sorted(range(len(rows)), key=lambda n: -lengths[n]):
            least = sums.index(min(sums))
            found[least].append(rows[place])
            sums[least] += lengths[place]
        return found if max(sums) * count <= UNEVEN * whole else [list(rows)]

    def each(self, work: Callable[[int, T], R], shares: Sequence[T]) -> list[R]:
        """``work(number, share)`` of each share at once; raises what the first of them raised."""
        if len(shares) == 1:
            return [work(0, shares[0])]
        pool = self._pool(len(shares))
        tasks = [pool.submit(work, number, share) for number, share in enumerate(shares)]
        wait(tasks)
        return [task.result() for task in tasks]

    def _pool(self, count: int) -> ThreadPoolExecutor:
        if count not in self._pools:
            self._pools[count] = begun(count, max(1, self.threads // count), "rows")
        return self._pools[count]

    def close(self) -> None:
        """End the threads; they are begun again where there is more to do."""
        for pool in self._pools.values():
            pool.shutdown()
        self._pools.clear()


def begun(count: int, own: int, name: str) -> ThreadPoolExecutor:
    """A pool whose ``count`` threads are there, the operations of each with ``own`` threads.

    Raises RuntimeError where the system has no more threads; then none of them is left.
    """
    before, all_there = torch.get_num_threads(), threading.Barrier(count)
    pool = ThreadPoolExecutor(count, name, _begin, (own,))
    try:
        wait([pool.submit(all_there.wait) for _ in range(count)])
    except BaseException:
        all_there.abort()
        pool.shutdown(cancel_futures=True)
        raise
    finally:
        torch.set_num_threads(before)  # else threads begun later would have ``own``
    return pool


def _begin(own: int) -> None:
    """Give the operations of the thread that calls this so many threads."""
    torch.set_num_threads(own)
    torch.get_num_threads()  # what is asked first in a thread makes the number its own
