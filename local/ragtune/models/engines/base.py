"""The seam between a prompt and an answer: what an engine can, and what it gives.

An engine is whatever runs a model: PyTorch here, a server or an endpoint elsewhere. A prompt
carries token ids and text, so an engine reads what it can.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ragtune.core.progress import Advance
from ragtune.prompts.base import Prompt, Row

Ability = Literal["answer", "stream", "loss", "tune"]
"""``answer``: complete prompts; ``stream``: give the text as it is written; ``loss``: measure how
surprised the model is by a text; ``tune``: the model it runs can be trained here."""


@dataclass(frozen=True)
class Completion:
    """What a model wrote after a prompt.

    ``text`` is without special tokens and outer white space. ``ids`` are its tokens, the end token
    left out; empty where an engine gives text alone, so ``tokens`` counts them. ``seconds`` is its
    share of its batch's time, ``prefill`` the share of those until the first token was there.
    ``prompt_tokens`` are as the engine counts them; None: as many as the prompt has ids.
    ``failed`` says why this prompt has no answer where others may have one; ``text`` is then empty.
    """

    text: str
    ids: list[int]
    seconds: float
    prefill: float
    tokens: int
    prompt_tokens: int | None = None
    failed: str | None = None


@dataclass(frozen=True)
class Loss:
    """The summed negative log-likelihood of ``tokens`` supervised tokens, in nats."""

    nats: float
    tokens: int

    @property
    def mean(self) -> float:
        """Nats a token."""
        return self.nats / self.tokens


def unwatched(done: int, total: int) -> None:
    """The progress of work that nobody watches."""


class Engine(Protocol):
    """Runs one model; answers are greedy, so they are the same each time."""

    @property
    def name(self) -> str:
        """What evidence and messages call it."""

    @property
    def can(self) -> frozenset[Ability]:
        """What it can; a method for something else raises NotImplementedError."""

    @property
    def fingerprint(self) -> str:
        """Identifies the model that it runs, adapter included, in hexadecimal."""

    @property
    def context_length(self) -> int:
        """Tokens that the model reads, prompt and completion together."""

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        limit: int,
        stops: Sequence[int] = (),
        batch_size: int = 1,
        advance: Advance = unwatched,
    ) -> list[Completion]:
        """Complete the prompts, in the order given, with up to ``limit`` tokens each.

        ``stops`` are tokens that end an answer beside the model's own. ``batch_size`` prompts are
        in work at once; ``advance`` is told how many are done of how many.
        """

    def stream(
        self, prompt: Prompt, *, limit: int, stops: Sequence[int] = ()
    ) -> Generator[str, None, Completion]:
        """Complete one prompt: its text piece by piece, then as the value that is returned.

        ``completion = yield from engine.stream(…)`` passes the pieces on and keeps the whole.
        """

    def loss(
        self, rows: Sequence[Row], *, batch_size: int = 16, advance: Advance = unwatched
    ) -> Loss:
        """The loss over the rows' supervised tokens; the first of a row follows nothing."""
