"""What each criterion of the choice measured, as values."""

from typing import Annotated, Literal

from pydantic import Field

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
    "right answers",
]
Side = Literal["tuning", "retrieval"]


class BothSides(Part):
    """The same figure of the arms ``tuned`` and ``rag``."""

    tuned: float
    rag: float


class QualityMeasured(BothSides):
    """The deciding metric's means, over so many questions inside or outside of the records."""

    kind: Literal["quality"] = "quality"
    metric: str
    different: bool
    questions: int
    by: Literal["document", "group", "question"]


class Unmeasured(Part):
    """The data does not allow it.

    ``why``: too few questions inside, or outside, of what the records cover; or not looked at.
    """

    kind: Literal["unmeasured"] = "unmeasured"
    why: Literal["none_inside", "none_outside", "no_coverage"]


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
    | Unmeasured
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
