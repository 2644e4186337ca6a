"""The criteria of the choice, and what each of them favoured when it was measured.

Folklore says: tune for a narrow task, low latency, high throughput, curated labels and
predictable quality; retrieve for changing data, wide knowledge, few labels and a low initial
cost. Here each is held against this run's own figures for ``tuned`` and ``rag``. It favours
neither where they are within `NEAR` of each other, or do not differ significantly. What an arm
costs, how fast it is and how steady are not asked where one of the two is dead.
"""

from collections.abc import Iterator
from typing import Literal

from ragtune.results.parts import Covered
from ragtune.results.verdict.evidence import Evidence
from ragtune.results.verdict.liveness import living
from ragtune.results.verdict.measured import (
    BrokenMeasured,
    Criterion,
    CriterionMeasured,
    FewLabelsMeasured,
    FreshnessMeasured,
    GainMeasured,
    LatencyMeasured,
    Measured,
    OnceMeasured,
    QualityMeasured,
    Side,
    ThroughputMeasured,
    Unmeasured,
)
from ragtune.results.verdict.needs import NEAR

SAID_TO_FAVOUR: dict[Criterion, Side] = {
    "narrow task": "tuning",
    "wide knowledge": "retrieval",
    "predictable quality": "tuning",
    "low latency": "tuning",
    "high throughput": "tuning",
    "curated labels": "tuning",
    "few labels": "retrieval",
    "changing data": "retrieval",
    "low initial cost": "retrieval",
}
"""What folklore says of each criterion."""

Why = Literal["none_inside", "none_outside", "no_coverage"]
Line = tuple[Criterion, Side | None, Measured]


def criteria(evidence: Evidence) -> list[CriterionMeasured]:
    """Each criterion with what it is said to favour, what it favours here, and the measurement.

    Empty where ``tuned`` or ``rag`` is missing.
    """
    if not {"tuned", "rag"} <= set(evidence.arms):
        return []
    found = [*_knowledge(evidence), *_labels(evidence)]
    if {"tuned", "rag"} <= set(living(evidence)):
        found += [*_steadiness(evidence), *_speed(evidence), *_upkeep(evidence)]
    return [
        CriterionMeasured(
            criterion=name,
            said_to_favour=SAID_TO_FAVOUR[name],
            favours=favours,
            measured=measured,
        )
        for name, favours, measured in found
    ]


def _knowledge(evidence: Evidence) -> Iterator[Line]:
    """A narrow task is what the records cover, wide knowledge is what they do not."""
    coverage = evidence.coverage
    inside = coverage.inside if coverage else None
    outside = coverage.outside if coverage else None
    yield "narrow task", *_covered(evidence, inside, Unmeasured(why=_why(evidence, "none_inside")))
    yield (
        "wide knowledge",
        *_covered(evidence, outside, Unmeasured(why=_why(evidence, "none_outside"))),
    )


def _why(evidence: Evidence, side: Literal["none_inside", "none_outside"]) -> Why:
    return side if evidence.coverage else "no_coverage"


def _covered(
    evidence: Evidence, side: Covered | None, unmeasured: Unmeasured
) -> tuple[Side | None, Measured]:
    """Which of the two answers a side of the questions better, and their means there."""
    pair = side.difference if side else None
    if side is None or pair is None or evidence.coverage is None:
        return None, unmeasured
    better: Side = "tuning" if pair.mean > 0 else "retrieval"
    means = QualityMeasured(
        metric=evidence.metric,
        tuned=side.arms["tuned"].mean,
        rag=side.arms["rag"].mean,
        different=pair.different,
        questions=side.questions,
        by=evidence.coverage.by,
    )
    return better if pair.different else None, means


def _steadiness(evidence: Evidence) -> Iterator[Line]:
    failures = evidence.failures
    broke = {s.adds: s.broke for s in failures.steps if s.before == "base"}
    if broke:
        right = failures.right["base"]
        tuning, retrieval = broke["tuning"], broke["retrieval"]
        even = abs(tuning - retrieval) <= NEAR * right
        fewer: Side = "retrieval" if retrieval < tuning else "tuning"
        yield (
            "predictable quality",
            None if even else fewer,
            BrokenMeasured(right=right, tuned=tuning, rag=retrieval),
        )


def _speed(evidence: Evidence) -> Iterator[Line]:
    tuned, rag = evidence.arms["tuned"], evidence.arms["rag"]
    p95 = LatencyMeasured(tuned=tuned.latency_ms.p95, rag=rag.latency_ms.p95)
    yield "low latency", _lower(p95.tuned, p95.rag), p95
    seconds = ThroughputMeasured(tuned=tuned.cost.seconds_per_1000, rag=rag.cost.seconds_per_1000)
    yield "high throughput", _lower(seconds.tuned, seconds.rag), seconds


def _labels(evidence: Evidence) -> Iterator[Line]:
    metric, records = evidence.metric, evidence.records
    if gain := evidence.between("tuned", "base"):
        yield (
            "curated labels",
            "tuning" if gain.different and gain.mean > 0 else None,
            GainMeasured(metric=metric, records=records, mean=gain.mean, ci95=gain.ci95),
        )
    rag, tuned, better = evidence.quality("rag"), evidence.quality("tuned"), _better(evidence)
    if evidence.curve:
        first = evidence.curve.points[0]
        tuned, (low, high), records = (
            first.arms["tuned"].mean,
            first.arms["tuned"].ci95,
            first.records,
        )
        better = "retrieval" if rag > high else "tuning" if rag < low else None
    yield (
        "few labels",
        better,
        FewLabelsMeasured(metric=metric, rag=rag, tuned=tuned, records=records),
    )


def _upkeep(evidence: Evidence) -> Iterator[Line]:
    tuned, rag = evidence.arms["tuned"], evidence.arms["rag"]
    again, index, fresh = tuned.freshness_seconds, rag.freshness_seconds, evidence.freshness
    if again is not None and index is not None and fresh is not None:
        yield (
            "changing data",
            _lower(again, index) if fresh.followed else None,
            FreshnessMeasured(
                tuned=again, rag=index, followed=fresh.followed, changes=len(fresh.changes)
            ),
        )
    once = OnceMeasured(tuned=tuned.cost.tuning_seconds, rag=rag.cost.indexing_seconds)
    yield "low initial cost", _lower(once.tuned, once.rag), once


def _better(evidence: Evidence) -> Side | None:
    """Which of the two answers better, where they differ significantly."""
    pair = evidence.between("tuned", "rag")
    if pair is None or not pair.different:
        return None
    return "tuning" if pair.mean > 0 else "retrieval"


def _lower(tuned: float, rag: float) -> Side | None:
    if max(tuned, rag) <= (1 + NEAR) * min(tuned, rag):
        return None
    return "tuning" if tuned < rag else "retrieval"
