"""One event loop for requests, in a thread of its own, so that Ctrl-C ends all of them at once.

It works the same where the caller has a loop that is running, as a notebook does.
"""

import asyncio
import functools
import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
Give = Callable[[str], None]
"""Takes the pieces of a text as they come."""

END = 5.0
"""Seconds that cancelled requests are waited for, until their connections are closed."""


class _Job:
    """A coroutine at work in the loop; it has ended when its connections are closed."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._ended = threading.Event()
        self.future: Future[Any] = asyncio.run_coroutine_threadsafe(self._watched(work), _loop())

    async def _watched(self, work: Awaitable[T]) -> T:
        try:
            return await work
        finally:
            self._ended.set()

    def stop(self) -> None:
        """Cancel it, unless it is done."""
        if self.future.cancel():
            self._ended.wait(END)


def run(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives; an interruption here cancels it there."""
    job = _Job(work)
    try:
        result: T = job.future.result()
        return result
    finally:
        job.stop()


def later(work: Coroutine[Any, Any, None]) -> None:
    """Begin a coroutine that nobody waits for: a finalizer may be called in the loop's thread."""
    asyncio.run_coroutine_threadsafe(work, _loop())


def pieces(work: Callable[[Give], Coroutine[Any, Any, T]]) -> Generator[str, None, T]:
    """The pieces that a coroutine gives, then its result; closing the generator cancels it."""
    given: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    async def working() -> T:
        try:
            return await work(given.put)
        finally:
            given.put(None)

    job = _Job(working())
    try:
        while (piece := given.get()) is not None:
            yield piece
        result: T = job.future.result()
        return result
    finally:
        job.stop()


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="ragtune requests", daemon=True).start()
    return loop
