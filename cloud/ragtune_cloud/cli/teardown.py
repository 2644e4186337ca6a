"""Whatever a command creates is deleted when it ends, in every way in which it can end."""

import datetime
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from ragtune.core.errors import CloudError, RagtuneError
from ragtune.core.progress import Watcher
from ragtune_cloud.ledger import Delete, Ledger, clean_up

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, a termination, a terminal that was closed: all end a command in the same way."""


@contextmanager
def torn_down(
    ledger: Ledger,
    deleters: Mapping[str, Delete],
    watcher: Watcher,
    *,
    keep: bool = False,
    delete_by: datetime.datetime | None = None,
) -> Iterator[None]:
    """At the end of the context delete what was added to the ledger in it, unless ``keep``.

    After an error or a signal it is deleted whatever ``keep`` says, and at ``delete_by`` the
    context is broken off. Further signals meanwhile only say what is still being done. Raises
    CloudError with a line for each thing that stays, after that of what broke the context off.
    """
    with _Signals(watcher, delete_by) as signals:
        failure: BaseException | None = None
        try:
            try:
                yield
            finally:
                signals.close()
        except BaseException as error:  # a signal may come just before signals are closed
            failure = error
        signals.close()
        left: CloudError | None = None
        if failure is not None or not keep:
            try:
                clean_up(ledger, deleters, watcher, ledger.added)
            except CloudError as error:
                left = error
        if failure is not None and left is not None:
            raise CloudError(f"{_line(failure)}\n{left}") from failure
        if left is not None:
            raise left
        if failure is not None:
            raise failure
        if signals.late:
            raise KeyboardInterrupt


class _Signals:
    """Signals raise KeyboardInterrupt once, and nothing any more after ``close``.

    ``late`` says whether one came after that.
    """

    def __init__(self, watcher: Watcher, delete_by: datetime.datetime | None) -> None:
        self._watcher, self._delete_by = watcher, delete_by
        self._before: dict[int, Any] = {}
        self._closed = self.late = False

    def close(self) -> None:
        """From now on signals only say that something is being deleted."""
        self._closed = True

    def __enter__(self) -> "_Signals":
        if threading.current_thread() is not threading.main_thread():
            return self  # Python delivers signals to the main thread alone
        for name in SIGNALS:
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            # Who started this with nohup wants it to outlive the terminal.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._interrupt)
        if self._delete_by is not None and hasattr(signal, "SIGALRM"):
            self._before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._over)
            left = (self._delete_by - datetime.datetime.now(datetime.UTC)).total_seconds()
            signal.setitimer(signal.ITIMER_REAL, max(left, 0.001))
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(signal, "SIGALRM") and signal.SIGALRM in self._before:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if not self._closed:
            self._closed = True
            raise KeyboardInterrupt
        self.late = True
        with suppress(RuntimeError):  # it came while another line was being printed
            self._watcher.say(
                "what was created is being deleted; only `kill -9 "
                f"{os.getpid()}` stops that, and `ragtune cloud delete RUN` goes on with it"
            )

    def _over(self, number: int, frame: FrameType | None) -> None:
        if not self._closed:
            self._closed = True
            raise CloudError(
                "the time to live is over, so what was created is deleted; what was answered is "
                "kept, and the same command goes on from there (--ttl gives it longer)"
            )


def _line(failure: BaseException) -> str:
    """What broke a command off, as the first of several lines."""
    if isinstance(failure, RagtuneError):
        return str(failure) if "\n" in str(failure) else f"error: {failure}"
    if isinstance(failure, KeyboardInterrupt):
        return "interrupted"
    return f"error: {type(failure).__name__}: {failure}"
