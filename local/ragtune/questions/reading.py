"""The round trip: a reader answers the question from its own passage, and from its neighbours."""

from collections.abc import Sequence
from typing import Literal, Protocol

from ragtune.core.progress import Advance
from ragtune.core.text import refuses
from ragtune.models.engines.base import Engine, unwatched
from ragtune.prompts.base import PromptFormat
from ragtune.questions.facts import Fact
from ragtune.results.metrics.right import right

LIMIT = 24
"""Tokens of an answer: the reader was trained on short ones."""
BATCH = 48
Told = Literal["right", "other", "refused"]


class Reader(Protocol):
    """Answers questions from passages."""

    def answer(self, asked: Sequence[tuple[str, str]], advance: Advance = unwatched) -> list[str]:
        """The answers to pairs of a passage and a question; a refusal where it has none."""


class ModelReader:
    """A reader that a model is, asked as the study asks it."""

    def __init__(self, engine: Engine, prompts: PromptFormat, batch: int = BATCH) -> None:
        self.engine, self.prompts, self.batch = engine, prompts, batch

    def answer(self, asked: Sequence[tuple[str, str]], advance: Advance = unwatched) -> list[str]:
        """The answers, in order."""
        limit = self.engine.context_length - LIMIT
        prompts = [
            self.prompts.prompt(question, passages=[passage], limit=limit)
            for passage, question in asked
        ]
        done = self.engine.complete(
            prompts, limit=LIMIT, stops=self.prompts.stops, batch_size=self.batch, advance=advance
        )
        return [self.prompts.response(one.text) for one in done]


def told(answer: str, fact: Fact, question: str) -> Told:
    """Whether a reader's answer is the fact's, another one, or none."""
    if not answer.strip() or refuses(answer):
        return "refused"
    if right(answer, fact.answer, question=question) or right(
        fact.answer, answer, question=question
    ):
        return "right"
    return "other"
