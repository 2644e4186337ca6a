"""Documents drafted from at the same time, each by a thread that has a processor to itself.

A step of a small model is some hundred operations of a tenth of a millisecond. Cut among processors
one by one, these wait for each other; documents are cut once.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Workers:
    """``count`` threads; one: the thread that asks, with all the processors that it has."""

    def __init__(self, count: int, stopping: Callable[[], object] = lambda: None) -> None:
        """``stopping`` is called once something was raised, and running parts are waited for."""
        self.count, self.stopping = count, stopping

    def each(self, work: Callable[[T], R], parts: Sequence[T]) -> Iterator[R]:
        """What comes of each part, as it comes.

        What a part raises ends the others too: those that run first finish.
        """
        count = min(self.count, len(parts))
        if count < 2:
            yield from map(work, parts)
            return
        import torch

        from ragtune.models.crew import begun

        pool = begun(count, max(1, torch.get_num_threads() // count), "drafting")
        try:
            tasks: list[Future[R]] = [pool.submit(work, part) for part in parts]
            for task in as_completed(tasks):
                yield task.result()
        except BaseException:
            self.stopping()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
