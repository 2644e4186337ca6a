"""What answers a prompt: a model in this process, or one that is asked over a wire."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ragtune.prompts.instruct import Prompt, Row

Advance = Callable[[int, int], None]
"""Told how many are done of how many."""


@dataclass(frozen=True)
class Completion:
    """What was written after a prompt.

    ``ids`` are its token ids, empty where the engine gives text alone; ``tokens`` how many there
    were. ``seconds`` is its share of its batch's time, ``prefill`` of those until the first token.
    """

    text: str
    ids: Sequence[int]
    seconds: float
    prefill: float
    tokens: int


@dataclass(frozen=True)
class Loss:
    """The sum of losses over so many tokens, in nats."""

    nats: float
    tokens: int


class Engine(Protocol):
    """A model that can be asked; ``can`` is of ``answer``, ``stream``, ``loss``, ``tune``."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def can(self) -> frozenset[str]:
        """What it can do."""

    @property
    def fingerprint(self) -> str:
        """What tells one model from another; part of the key of what it answered."""

    @property
    def context_length(self) -> int:
        """Tokens of prompt and completion together."""

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        limit: int,
        stops: Sequence[int] = (),
        batch_size: int = 1,
        advance: Advance = lambda done, total: None,
    ) -> list[Completion]:
        """Complete every prompt in at most ``limit`` tokens, in the order given."""

    def stream(self, prompt: Prompt, *, limit: int, stops: Sequence[int] = ()) -> Iterator[str]:
        """The completion of a prompt in pieces of text."""

    def loss(self, rows: Sequence[Row], advance: Advance = lambda done, total: None) -> Loss:
        """The loss over the supervised tokens of training rows."""
