"""A question on its way to its answer, as the worker and the one who asked both see it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from ragtune.core.errors import RagtuneError
from ragtune.recipe.arms import Arm as ArmName


@dataclass(frozen=True)
class Limits:
    """What a server takes on.

    ``queue`` questions wait at most; ``active`` answers are written at once, piece by piece in
    turn; ``batch`` questions whose answers are not streamed are answered together. A ``question``
    has so many characters; its answer is there after ``seconds``, waiting included, or not at all.
    """

    queue: int = 64
    active: int = 6
    batch: int = 8
    question: int = 4000
    seconds: float = 120.0


class Declined(RagtuneError):
    """A question that is not answered, and why: too many wait, it took too long, the end."""

    def __init__(self, why: Literal["busy", "late", "closing", "failed"], message: str) -> None:
        self.why = why
        super().__init__(message)


@dataclass(frozen=True)
class Piece:
    """The next words of an answer."""

    text: str


@dataclass(frozen=True)
class Done:
    """The whole answer: see ``Session``."""

    answer: dict[str, Any]


@dataclass(frozen=True)
class Failed:
    """Why there is no answer."""

    error: Declined


Event = Piece | Done | Failed
Tell = Callable[[Event], None]
"""Told what happens to a question, on the worker's thread; must not wait."""


@dataclass(eq=False)
class Job:
    """A question that was accepted; ``tokens`` is the most that its answer may have."""

    question: str
    arm: ArmName
    tell: Tell
    streamed: bool
    tokens: int | None
    deadline: float
    asked: float = field(default_factory=time.monotonic)
    cancelled: bool = False

    def cancel(self) -> None:
        """Answer it no further: nobody waits for it."""
        self.cancelled = True

    @property
    def late(self) -> bool:
        """Whether its time is over."""
        return time.monotonic() > self.deadline

    @property
    def waited(self) -> float:
        """Seconds since it was asked."""
        return time.monotonic() - self.asked
