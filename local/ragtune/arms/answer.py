"""What an arm gives: an answer, the time that one took, and when the model is not asked."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ragtune.retrieval.passages import Passage


@dataclass(frozen=True)
class Answer:
    """An answer to a question and what it took.

    ``sources`` are the passages that were in the prompt, best first, so a citation is right by
    construction; ``retrieved`` counts those found, before the prompt's limit. ``seconds`` is the
    answer's share of the batch it was computed in; latency is measured apart. ``refused`` says
    that nothing found was good enough, so that no model was asked. ``support`` says of each
    sentence which source holds its words (`ragtune.arms.attribution`). ``failed`` is why the engine
    has no answer to this question, None where it has one.
    """

    question: str
    text: str
    prompt_tokens: int
    completion_tokens: int
    cut_tokens: int
    seconds: float
    retrieved: int = 0
    sources: list[dict[str, Any]] = field(default_factory=list)
    refused: bool = False
    support: list[dict[str, Any]] = field(default_factory=list)
    failed: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields, for a line of ``answers/<arm>.jsonl``."""
        return asdict(self)


class AnswerStream(Iterator[str]):
    """An answer's text, piece by piece as it is written; then the whole answer."""

    def __init__(self, pieces: Generator[str, None, Answer]) -> None:
        self._pieces = pieces
        self._answer: Answer | None = None

    def __next__(self) -> str:
        try:
            return next(self._pieces)
        except StopIteration as end:
            if self._answer is None:
                self._answer = end.value
            raise

    @property
    def answer(self) -> Answer:
        """The answer with its sources; what of its text was not read yet is passed over."""
        for _ in self:
            pass
        if self._answer is None:
            raise ValueError("the stream was closed before its answer was whole")
        return self._answer


@dataclass(frozen=True)
class ScoreFloor:
    """The least score of the best passage at which a model is asked.

    ``below`` it, or where nothing was found, the answer is ``refusal``, and no model is asked.
    """

    below: float
    refusal: str

    def refuses(self, found: Sequence[Passage]) -> bool:
        """Whether nothing that was found, best first, is good enough."""
        return not found or found[0].score < self.below


@dataclass(frozen=True)
class Latency:
    """Seconds that one question alone took.

    ``prefill`` is from the passages found to the first token: the prompt rendered and read;
    ``decode`` the rest of the answer, to its text.
    """

    retrieval: float
    prefill: float
    decode: float
