"""A process that ends at a call: killed, so that nothing of ours runs any more, or by a signal."""

import os
from typing import Any

import boto3


class Killed(BaseException):
    """The process was killed: nothing of ours may catch it, and nothing is sent after it."""


class Trap:
    """Strikes at the n-th AWS call of a session: before it goes out, or after it was answered.

    Without a signal it kills: every later call is refused too, until ``set`` is called again, for
    a killed process sends nothing. With one the process gets that signal. ``operations`` are those
    that were called since ``set``, ``uploads`` how many of them were answered uploads.
    """

    def __init__(self, session: boto3.Session) -> None:
        self._left: int | None = None
        self._after = self._dead = self.struck = False
        self._signal: int | None = None
        self.uploads = 0
        self.operations: list[str] = []
        session.events.register("before-call", self._before)
        session.events.register("after-call", self._answered)

    def set(self, call: int | None, *, after: bool = False, signal: int | None = None) -> None:
        """Strike at the n-th call from now; None sets no trap."""
        self._left, self._after, self._signal, self.uploads = call, after, signal, 0
        self._dead = self.struck = False
        self.operations = []

    def _before(self, event_name: str, **_: Any) -> None:
        if self._dead:
            raise Killed
        self.operations.append(event_name.rpartition(".")[2])
        if self._left is not None:
            self._left -= 1
            if self._left == 0 and not self._after:
                self._strike()

    def _answered(self, event_name: str, **_: Any) -> None:
        self.uploads += event_name.endswith("PutObject")
        # Threads call side by side: the n-th answer may come after further calls went out.
        if self._left is not None and self._left <= 0 and self._after and not self.struck:
            self._strike()

    def _strike(self) -> None:
        self.struck = True
        if self._signal is None:
            self._dead = True
            raise Killed
        os.kill(os.getpid(), self._signal)
