"""What ``results.json`` holds, field by field; ``docs/results.schema.json`` is made from this.

Values only: `ragtune.results.wording` writes the sentences. `python -m ragtune.results.schema`
prints the schema.
"""

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from ragtune.core.errors import RunError
from ragtune.core.files import read_json, write_json
from ragtune.recipe.arms import Adapter, Arm
from ragtune.recipe.schema import Recipe
from ragtune.results.data import DataCounts
from ragtune.results.engine import EngineUsed
from ragtune.results.faults import AnyFault
from ragtune.results.full_size import FullSize
from ragtune.results.parts import Agreement, Baseline, Coverage, Deciding, Mean, Paired, Part
from ragtune.results.rates import BreakEven, Cost
from ragtune.results.search import SearchFigures
from ragtune.results.verdict.reasons import Recommendation

SCHEMA: Literal[7] = 7
"""Of ``results.json``; raised when a field changes its meaning or goes."""

Quality = dict[str, Mean]
"""Each metric's mean over the answerable questions, by the metric's name."""
Flip = Literal[
    "retrieval_fixed",
    "retrieval_broke",
    "tuning_fixed",
    "tuning_forgot",
    "only_both",
    "examples_fixed",
    "examples_broke",
    "records_fixed",
    "records_broke",
]
Cause = Literal["not_found", "refused", "left_out", "misread", "not_refused", "no_gold"]
Added = Literal["retrieval", "tuning", "examples", "records"]
"""What a step adds; `records` is retrieval over the training records."""


class Category(Mean):
    """The deciding metric over the answerable questions of a category."""

    questions: int


class Refusal(Part):
    """Shares of questions that were refused; None where there is no such question."""

    unanswerable_refused: Mean | None
    answerable_refused: Mean | None


class Latency(Part):
    """Of one question asked alone, in milliseconds; the parts are medians."""

    p50: float
    p95: float
    retrieval_p50: float
    prefill_p50: float
    decode_p50: float
    questions: int


class Throughput(Part):
    """While answers are decoded in batches, retrieval apart; None where the model was not asked."""

    answers_per_second: float | None
    tokens_per_second: float | None


class Tokens(Part):
    """Tokens a question, and what the model's context left no room for."""

    prompt_mean: float
    completion_mean: float
    cut_prompts: int
    cut_passages: int


class ArmFigures(Part):
    """All figures of an arm.

    ``right`` is the share of all questions, ``right_by_seed`` their numbers and ``seeds`` the
    deciding metric's means, by each seed that the arm was tuned with: one where it was tuned once
    or not at all. Means are over all seeds, other figures of the first. ``grounded`` is the share
    of an answer's words that are in its passages, ``freshness_seconds`` from a changed document to
    an answer by it; None where the arm has no way to that.
    """

    quality: Quality
    right: Mean
    right_by_seed: list[int]
    seeds: list[float]
    categories: dict[str, Category]
    refusal: Refusal
    grounded: Mean | None
    latency_ms: Latency
    throughput: Throughput
    tokens: Tokens
    cost: Cost
    freshness_seconds: float | None


class Difference(Paired):
    """Two arms on a metric; `p_holm` is corrected for all pairs of arms on it."""

    metric: str


class Step(Part):
    """Two arms that differ in one thing: questions that it made right, and wrong."""

    adds: Added
    before: Arm
    after: Arm
    fixed: int
    broke: int


class Question(Part):
    """What became of a question; `causes` says why an arm with passages was wrong."""

    question: str
    gold_rank: int | None
    right: dict[Arm, bool]
    flips: list[Flip]
    causes: dict[Arm, Cause]


class Failures(Part):
    """Right answers, flips and causes, counted and by question; of the first seed's answers."""

    right: dict[Arm, int]
    flips: dict[Flip, int]
    steps: list[Step]
    causes: dict[Arm, dict[Cause, int]]
    questions: list[Question]


class Retrieval(Part):
    """Over the questions that name a gold document."""

    k: int
    questions: int
    recall_at_k: Mean
    mrr: Mean
    ndcg_at_k: Mean


class Noted(Part):
    """What a stage measured of itself; fields that are not named here are kept."""

    model_config = ConfigDict(extra="allow", frozen=True)


class HeldoutLoss(Noted):
    """On the reference answers, nats a token, over so many tokens."""

    base: float
    tuned: float
    tokens: int


class TextLoss(Noted):
    """Of a model on general text."""

    nats_per_token: float
    bits_per_byte: float
    tokens: int
    bytes: int


class Forgetting(Noted):
    """General text before and after tuning; `unchanged` is a share of greedy continuations."""

    base: TextLoss
    tuned: TextLoss
    continuations: int
    unchanged: float


class DocumentChange(Part):
    """A document that was given another fact, and the answers before and after.

    ``shown``: the fact was in the prompt; ``followed``: the answer changed to it.
    """

    document: str
    question: str
    fact: str
    before: str
    after: str
    shown: bool
    followed: bool
    index_seconds: float
    answer_seconds: float


class Freshness(Part):
    """Real changes of documents; `reindex_seconds` is the median to an answer."""

    reindex_seconds: float
    shown: int
    followed: int
    changes: list[DocumentChange]


class CurvePoint(Part):
    """Each tuned arm after tuning on a share of the records."""

    share: float
    records: int
    arms: dict[Arm, Mean]


class LearningCurve(Part):
    """`enough`: the smallest share from which on none differs significantly from all records."""

    metric: str
    points: list[CurvePoint]
    enough: dict[Arm, float]


class Epoch(Noted):
    """Losses a token, in nats; None without validation rows."""

    epoch: int
    train_loss: float
    eval_loss: float | None = None
    learning_rate: float


class StepLoss(Noted):
    """The loss of an optimiser step."""

    step: int
    loss: float
    learning_rate: float


class Training(Noted):
    """What tuning came to; its census and more are kept as they were noted."""

    epochs: list[Epoch]
    steps: list[StepLoss]
    best_epoch: int | None
    trainable_parameters: int
    parameters: int
    seconds: float
    supervised_tokens_a_second: float
    substitutions: list[str]


class Recall(Part):
    """Of so many questions of its own training rows, how many an adapter answers rightly."""

    right: int
    questions: int


class Index(Part):
    """What the index holds; `skipped` maps a document that was left out to the reason."""

    documents: int
    chunks: int
    skipped: dict[str, str]


class RecipeUsed(Part):
    """The recipe, with its defaults filled in."""

    name: str
    identity: str
    filled: Recipe


class Results(Part):
    """Every figure of a run.

    ``baselines`` are by metric. ``labels`` is how many different labels the references are; None
    where they are free text. ``several_references`` counts the questions with more than one right
    answer. ``heldout_loss``, ``forgetting``, ``tune``, ``recall`` and ``search`` are by adapter,
    without those that were not measured. ``finished`` is when the last stage was made, in UTC;
    ``agreement`` is with a person's marks, None where nobody has given any; ``engine`` is the
    server that answered, None where the loop here did; ``full_size`` says which target served the
    models, None in a run that was made here.
    """

    version: Literal[7] = Field(alias="schema")  # BaseModel has a method of that name
    recipe: RecipeUsed
    questions: int
    unanswerable: int
    several_references: int
    labels: int | None
    deciding: Deciding
    arms: dict[Arm, ArmFigures]
    differences: list[Difference]
    baselines: dict[str, Baseline]
    coverage: Coverage | None
    faults: list[AnyFault]
    failures: Failures
    retrieval: Retrieval | None
    heldout_loss: dict[Adapter, HeldoutLoss]
    forgetting: dict[Adapter, Forgetting]
    freshness: Freshness | None
    learning_curve: LearningCurve | None
    tune: dict[Adapter, Training]
    recall: dict[Adapter, Recall]
    search: dict[Adapter, SearchFigures] = Field(default_factory=dict)
    index: Index | None
    data: DataCounts
    seconds: dict[str, float]
    environment: dict[str, JsonValue]
    break_even: BreakEven | None
    recommendation: Recommendation
    finished: str = ""
    agreement: Agreement | None = None
    engine: EngineUsed | None = None
    full_size: FullSize | None = None

    @property
    def judged(self) -> int:
        """Questions that quality is over: the answerable ones, all where none is."""
        return self.questions - self.unanswerable or self.questions

    @classmethod
    def load(cls, path: Path) -> "Results":
        """Read a ``results.json``.

        Raises RunError where it is missing, broken, or written by another version.
        """
        found = read_json(path)
        version = found.get("schema") if isinstance(found, dict) else None
        if version != SCHEMA:
            newer = isinstance(version, int) and version > SCHEMA
            todo = "update ragtune" if newer else "`ragtune run` makes it again"
            raise RunError(f"{path}: made by {'a newer' if newer else 'an older'} ragtune; {todo}")
        try:
            return cls.model_validate(found)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise RunError(
                f"{path}: {where}: {first['msg']}; `ragtune report` makes it again"
            ) from None

    def dump(self, path: Path) -> None:
        """Write ``results.json``."""
        write_json(path, self.to_json())


class StageNote(BaseModel):
    """What is read here of a stage in ``lock.json``; ``finished`` in UTC, ISO 8601."""

    seconds: float
    finished: str = ""


class RunNotes(BaseModel):
    """What is read here of ``lock.json``; the rest is left to the room that writes it."""

    stages: dict[str, StageNote]
    data: DataCounts = DataCounts()
    environment: dict[str, JsonValue] = {}


def published() -> str:
    """The JSON schema of ``results.json``, as text."""
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps({"$schema": dialect, **Results.model_json_schema()}, indent=1) + "\n"


if __name__ == "__main__":
    print(published(), end="")
