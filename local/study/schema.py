"""What ``results.json`` holds, field by field; ``docs/results.schema.json`` is made from this.

`python -m local.study.schema` prints it.
"""

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from local.recipe import Arm

Bounds = tuple[float, float]


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
    """While answers are decoded in batches, retrieval apart."""

    answers_per_second: float
    tokens_per_second: float


class Tokens(Part):
    """Tokens a question, and what the model's context left no room for."""

    prompt_mean: float
    completion_mean: float
    cut_prompts: int
    cut_passages: int


class Cost(Part):
    """Machine seconds, and prices where `needs.price_per_hour` is given."""

    tuning_seconds: float
    indexing_seconds: float
    seconds_per_1000: float
    initial_price: float | None
    price_per_1000: float | None


class ArmFigures(Part):
    """All figures of an arm."""

    quality: Quality
    refusal: Refusal
    latency_ms: Latency
    throughput: Throughput
    tokens: Tokens
    cost: Cost


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


class BreakEven(Part):
    """From how many queries a month `tuned` costs less than `rag`; 0 always, None never."""

    documents_change: str
    queries_per_month: float | None


class Change(Part):
    """A change of the needs, and the arm that it leads to; None where none fits then."""

    change: str
    arm: Arm | None


class Recommendation(Part):
    """The arm that fits, why, why each other does not, and what would change that."""

    arm: Arm | None
    because: str
    out: dict[Arm, str]
    metric: str
    sensitivity: list[Change]


class RecipeUsed(Part):
    """The recipe, with its defaults filled in."""

    name: str
    identity: str
    filled: dict[str, Any]


class Results(Part):
    """Every figure of a run. ``schema`` is raised when a field changes its meaning or goes."""

    version: Literal[2] = Field(alias="schema")  # BaseModel has a method of that name
    recipe: RecipeUsed
    questions: int
    unanswerable: int
    arms: dict[Arm, ArmFigures]
    differences: list[Difference]
    failures: Failures
    retrieval: Retrieval | None
    heldout_loss: dict[str, Any] | None
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
