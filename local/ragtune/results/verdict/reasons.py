"""What a verdict says, as values: why an arm is chosen or not, and what would change that.

`ragtune.results.wording` writes the sentences.
"""

from typing import Annotated, Literal

from pydantic import Field

from ragtune.recipe.schema import Arm
from ragtune.results.parts import Bounds, Part

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
Side = Literal["tuning", "retrieval"]
Often = Literal["never", "monthly", "weekly", "daily"]


class Spending(Part):
    """What an arm costs by the measure that the needs ask for; ``price`` where it is known."""

    unit: Literal["tokens a question", "machine seconds a month"]
    amount: float
    price: float | None


class Against(Part):
    """Why an arm is not the one, and the criterion of the choice that this answers."""

    criterion: Criterion


class TooSlow(Against):
    """Over ``needs.p95_latency_ms``."""

    kind: Literal["too_slow"] = "too_slow"
    p95_ms: float
    limit_ms: float


class TooPoor(Against):
    """Under ``needs.min_quality``."""

    kind: Literal["too_poor"] = "too_poor"
    metric: str
    mean: float
    limit: float


class NoSources(Against):
    """Cites none, and ``needs.cite_sources`` asks for them."""

    kind: Literal["no_sources"] = "no_sources"


class LearntOnly(Against):
    """Knows only what it has learnt, and documents change daily; ``seconds`` of tuning again."""

    kind: Literal["learnt_only"] = "learnt_only"
    seconds: float | None


class TooStale(Against):
    """Takes longer to answer by a changed document than documents stay the same."""

    kind: Literal["too_stale"] = "too_stale"
    seconds: float
    documents_change: Often


class OverBudget(Against):
    """Over ``needs.budget_per_month``."""

    kind: Literal["over_budget"] = "over_budget"
    price: float
    limit: float


class Worse(Against):
    """Significantly worse than ``other``, by ``mean``."""

    kind: Literal["worse"] = "worse"
    other: Arm
    metric: str
    mean: float
    ci95: Bounds


class NotBetter(Against):
    """Not significantly different from ``other``, the arm that is chosen.

    ``close``: at about the same cost; else it costs more.
    """

    kind: Literal["not_better"] = "not_better"
    other: Arm
    spending: Spending
    close: bool
    more_questions: int | None


Reason = Annotated[
    TooSlow | TooPoor | NoSources | LearntOnly | TooStale | OverBudget | Worse | NotBetter,
    Field(discriminator="kind"),
]


class Chosen(Part):
    """An arm fits; ``not_different_from`` names the best arm where that is another."""

    kind: Literal["chosen"] = "chosen"
    metric: str
    mean: float
    spending: Spending
    not_different_from: Arm | None


class NeedsUnmet(Part):
    """No arm meets every need."""

    kind: Literal["needs_unmet"] = "needs_unmet"


class NothingAnswered(Part):
    """No arm reaches ``least``; ``needs_failed`` says that others are out by a need."""

    kind: Literal["nothing_answered"] = "nothing_answered"
    metric: str
    least: float
    needs_failed: bool


Because = Annotated[Chosen | NeedsUnmet | NothingAnswered, Field(discriminator="kind")]


class Choice(Part):
    """The arm that fits, why, and why each other does not; ``arm`` is None where none does."""

    arm: Arm | None
    because: Because
    out: dict[Arm, Reason]


class BothSides(Part):
    """The same figure of the arms ``tuned`` and ``rag``."""

    tuned: float
    rag: float


class QualityMeasured(BothSides):
    """The deciding metric's means."""

    kind: Literal["quality"] = "quality"
    metric: str
    different: bool


class BrokenMeasured(Part):
    """Of the ``right`` answers of base, how many each broke."""

    kind: Literal["broken"] = "broken"
    right: int
    tuned: int
    rag: int


class LatencyMeasured(BothSides):
    """The 95th percentile, in milliseconds."""

    kind: Literal["p95_ms"] = "p95_ms"


class ThroughputMeasured(BothSides):
    """Machine seconds of 1,000 queries."""

    kind: Literal["seconds_per_1000"] = "seconds_per_1000"


class GainMeasured(Part):
    """What so many records added to base, on the deciding metric."""

    kind: Literal["gain"] = "gain"
    metric: str
    records: int
    mean: float
    ci95: Bounds


class FewLabelsMeasured(BothSides):
    """The deciding metric's means: ``tuned`` with so many records, ``rag`` without any."""

    kind: Literal["few_labels"] = "few_labels"
    metric: str
    records: int


class FreshnessMeasured(BothSides):
    """Seconds from a changed document to an answer, and how many answers followed the index."""

    kind: Literal["freshness"] = "freshness"
    followed: int
    changes: int


class OnceMeasured(BothSides):
    """Machine seconds of tuning, and of indexing."""

    kind: Literal["once"] = "once"


Measured = Annotated[
    QualityMeasured
    | BrokenMeasured
    | LatencyMeasured
    | ThroughputMeasured
    | GainMeasured
    | FewLabelsMeasured
    | FreshnessMeasured
    | OnceMeasured,
    Field(discriminator="kind"),
]


class CriterionMeasured(Part):
    """A criterion of the choice: what it is said to favour, and what it favoured here."""

    criterion: Criterion
    said_to_favour: Side
    favours: Side | None
    measured: Measured


class NeedChange(Part):
    """A need with another value, and the arm that it leads to; None where none fits then.

    A limit's value is what the recommended arm measures: just out of its reach. None: no such need.
    """

    kind: Literal["need"] = "need"
    need: Literal[
        "cite_sources", "documents_change", "p95_latency_ms", "min_quality", "budget_per_month"
    ]
    value: bool | float | Often | None
    arm: Arm | None


class VolumeChange(Part):
    """So many queries a month or more, or fewer, where a number is given now."""

    kind: Literal["volume"] = "volume"
    queries_per_month: int
    side: Literal["more", "fewer"]
    arm: Arm | None


class MachineTimeChange(Part):
    """Cost by machine time, where it is by tokens now; from 0 queries a month: at few."""

    kind: Literal["machine_time"] = "machine_time"
    from_queries_per_month: int
    arm: Arm | None


class MoreQuestions(Part):
    """About so many more questions, with answers like these."""

    kind: Literal["more_questions"] = "more_questions"
    more: int
    arm: Arm | None


Change = Annotated[
    NeedChange | VolumeChange | MachineTimeChange | MoreQuestions, Field(discriminator="kind")
]


class Recommendation(Choice):
    """The choice, the metric that decided, the criteria, and what would change it."""

    metric: str
    criteria: list[CriterionMeasured]
    sensitivity: list[Change]
