"""What ``results.json`` holds, field by field; ``docs/results.schema.json`` is made from this.

`python -m ragtune.results.schema` prints it.
"""

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ragtune.recipe.schema import Arm

Bounds = tuple[float, float]
Criterion = Literal[
    "narrow task",
    "low latency",
    "high throughput",
    "curated labels",
    "predictable quality",
    "changing data",
    "wide knowledge",
    "few labels",
    "low initial cost",
    "sources",
]


class Part(BaseModel):
    """A part of the results; fields that are not named here are refused."""

    model_config = ConfigDict(extra="forbid")


class Mean(Part):
    """A mean over questions, and its 95 % interval."""

    mean: float
    ci95: Bounds


class MacroF1(Mean):
    """Macro-F1 over so many labels."""

    labels: int


class Quality(Part):
    """Over the answerable questions; `macro_f1` only where the references are labels."""

    token_f1: Mean
    exact_match: Mean
    rouge_l: Mean
    macro_f1: MacroF1 | None


class Category(Mean):
    """Token F1 over the answerable questions of a category."""

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


class Cost(Part):
    """Machine seconds; prices with `needs.price_per_hour`, energy with `needs.watts`."""

    tuning_seconds: float
    indexing_seconds: float
    seconds_per_1000: float
    initial_price: float | None
    price_per_1000: float | None
    initial_kwh: float | None
    kwh_per_1000: float | None


class ArmFigures(Part):
    """All figures of an arm.

    ``support`` is the share of an answer's words that stand in its passages, ``freshness_seconds``
    from a changed document to an answer by it; None where the arm has no way to that.
    """

    quality: Quality
    categories: dict[str, Category]
    refusal: Refusal
    support: Mean | None
    latency_ms: Latency
    throughput: Throughput
    tokens: Tokens
    cost: Cost
    freshness_seconds: float | None


class Difference(Mean):
    """``left - right``, paired by question; `p_holm` is corrected for all pairs on the metric."""

    metric: str
    left: Arm
    right: Arm
    p: float
    p_holm: float
    different: bool
    more_questions: int | None


class Step(Part):
    """Two arms that differ in one thing: questions that it made right, and wrong."""

    adds: Literal["retrieval", "tuning"]
    before: Arm
    after: Arm
    fixed: int
    broke: int


class Question(Part):
    """What became of a question; `causes` says why an arm with passages was wrong."""

    question: str
    gold_rank: int | None
    right: dict[Arm, bool]
    flips: list[str]
    causes: dict[Arm, str]


class Failures(Part):
    """Right answers, flips and causes, counted and by question."""

    right_from: float
    right: dict[Arm, int]
    flips: dict[str, int]
    steps: list[Step]
    causes: dict[Arm, dict[str, int]]
    questions: list[Question]


class Retrieval(Part):
    """Over the questions that name a gold document."""

    k: int
    questions: int
    recall_at_k: Mean
    mrr: Mean
    ndcg_at_k: Mean


class TextLoss(Part):
    """Of a model on general text."""

    nats_per_token: float
    bits_per_byte: float
    tokens: int
    bytes: int


class Forgetting(Part):
    """General text before and after tuning; `unchanged` is a share of greedy continuations."""

    base: TextLoss
    tuned: TextLoss
    continuations: int
    unchanged: float


class DocumentChange(Part):
    """A document that was given another fact, and the answers before and after.

    ``shown``: the fact stood in the prompt; ``followed``: the answer changed to it.
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
    """`enough` is the smallest share from which on none was told apart from all records."""

    metric: str
    points: list[CurvePoint]
    enough: dict[Arm, float]


class BreakEven(Part):
    """From how many queries a month `tuned` costs less than `rag`; 0 from the first, None never.

    `up_to`: until how many it does, where each costs more; else None.
    """

    documents_change: str
    queries_per_month: float | None
    up_to: float | None


class Change(Part):
    """A change of the needs, and the arm that it leads to; None where none fits then."""

    change: str
    arm: Arm | None


class Reason(Part):
    """The measurement that speaks against an arm, and the criterion that it answers."""

    why: str
    criterion: Criterion


class CriterionMeasured(Part):
    """A criterion of the choice: what it is said to speak for, and what it spoke for here."""

    criterion: Criterion
    said_for: Literal["tuning", "retrieval"]
    speaks_for: Literal["tuning", "retrieval"] | None
    measured: str


class Recommendation(Part):
    """The arm that fits, why, why each other does not, and what would change that."""

    arm: Arm | None
    because: str
    out: dict[Arm, Reason]
    metric: str
    criteria: list[CriterionMeasured]
    sensitivity: list[Change]


class RecipeUsed(Part):
    """The recipe, with its defaults filled in."""

    name: str
    identity: str
    filled: dict[str, Any]


class Results(Part):
    """Every figure of a run. ``schema`` is raised when a field changes its meaning or goes."""

    version: Literal[4] = Field(alias="schema")  # BaseModel has a method of that name
    recipe: RecipeUsed
    questions: int
    unanswerable: int
    arms: dict[Arm, ArmFigures]
    differences: list[Difference]
    failures: Failures
    retrieval: Retrieval | None
    heldout_loss: dict[str, Any] | None
    forgetting: Forgetting | None
    freshness: Freshness | None
    learning_curve: LearningCurve | None
    tune: dict[str, Any] | None
    index: dict[str, Any] | None
    data: dict[str, Any]
    seconds: dict[str, float]
    environment: dict[str, Any]
    break_even: BreakEven | None
    recommendation: Recommendation


def published() -> str:
    """The JSON schema of ``results.json``, as text."""
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps({"$schema": dialect, **Results.model_json_schema()}, indent=1) + "\n"


if __name__ == "__main__":
    print(published(), end="")
