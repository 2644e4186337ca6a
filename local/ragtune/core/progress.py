"""What a long job says while it works; the command shows it, tests and libraries may not."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

Advance = Callable[[int, int], None]
"""Told how many are done of how many."""
Say = Callable[[str], None]
"""Told one line."""


class Watcher(Protocol):
    """Something that is told how a job goes."""

    def say(self, line: str) -> None:
        """Take note of one line."""

    def progress(self, title: str) -> AbstractContextManager[Advance]:
        """Begin a piece of work; what it gives is told how far the work is."""


class Silent:
    """A watcher that does nothing."""

    def say(self, line: str) -> None:
        """Take no note."""

    def progress(self, title: str) -> AbstractContextManager[Advance]:
        """Show nothing."""
        return nullcontext(lambda done, total: None)
