"""The lines of a run folder that figures are made from, read and checked."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ragtune.core.errors import RunError
from ragtune.core.files import read_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.retrieval.passages import Passage
from ragtune.sources.records import Record


class Answered(BaseModel):
    """A question's id, the text of its answer, and the passages that were in the prompt."""

    question: str
    text: str
    sources: list[Passage] = []


class AnswerRow(Answered):
    """A line of ``answers/<arm>.jsonl``: an answer and what it took, as the arm noted it.

    ``seconds`` is the answer's share of its batch; ``refused``: by score, and no model was asked.
    ``reference_tokens`` is what the reference would have taken, None where it was not counted;
    ``failed`` why the engine had no answer, None where it had one.
    """

    prompt_tokens: int
    completion_tokens: int
    cut_tokens: int
    seconds: float
    retrieved: int = 0
    refused: bool = False
    reference_tokens: int | None = None
    failed: str | None = None


class LatencyRow(BaseModel):
    """A line of ``latency/<arm>.jsonl``: the seconds of a question asked alone."""

    retrieval: float
    prefill: float
    decode: float

    @property
    def whole(self) -> float:
        """From text to text."""
        return self.retrieval + self.prefill + self.decode


class Recalled(BaseModel):
    """A line of ``recall/<adapter>.jsonl``: a training record, and the answer to it."""

    question: dict[str, Any]
    text: str

    @property
    def record(self) -> Record:
        """The training record."""
        return Record.from_json(self.question)


class Found(BaseModel):
    """A line of ``retrieval.jsonl``: the passages of a question, best first."""

    question: str
    passages: list[Passage]


Row = TypeVar("Row", bound=BaseModel)


def questions(folder: RunFolder) -> list[Record]:
    """The held-out questions.

    Raises RunError where they are missing.
    """
    return [Record.from_json(row) for row in read_jsonl(folder.questions)]


def answers(folder: RunFolder, arm: str) -> list[AnswerRow]:
    """An arm's answers, in the order of the questions.

    Raises RunError where they are missing or no answers.
    """
    return _read(folder.answers(arm), AnswerRow)


def latencies(folder: RunFolder, arm: str) -> list[LatencyRow]:
    """An arm's questions asked alone.

    Raises RunError where they are missing.
    """
    return _read(folder.latency(arm), LatencyRow)


def seed_answers(folder: RunFolder, seed: int, arm: str) -> list[Answered]:
    """An arm's answers after tuning with another seed, from 2 on.

    Raises RunError where they are missing.
    """
    return _read(folder.seed_answers(seed, arm), Answered)


def recalled(folder: RunFolder, adapter: str) -> list[Recalled]:
    """What an adapter answers to training rows of its own.

    Raises RunError where the file is missing or broken.
    """
    return _read(folder.recall(adapter), Recalled)


def curve_answers(folder: RunFolder, share: float, arm: str) -> list[Answered]:
    """An arm's answers after tuning on a share of the records.

    Raises RunError where they are missing.
    """
    return _read(folder.curve_answers(share, arm), Answered)


def found(folder: RunFolder) -> list[list[Passage]]:
    """The passages found for each question, in order; none where nothing was retrieved."""
    if not folder.retrieval.exists():
        return []
    return [row.passages for row in _read(folder.retrieval, Found)]


def _read(path: Path, kind: type[Row]) -> list[Row]:
    try:
        return [kind.model_validate(row) for row in read_jsonl(path)]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RunError(f"{path}: {where}: {first['msg']}; go on with `ragtune run`") from None
