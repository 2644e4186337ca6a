"""What would change the verdict: the rule asked again, with one need changed at a time."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ragtune.recipe.arms import Arm
from ragtune.recipe.schema import Needs
from ragtune.results.verdict.evidence import Evidence
from ragtune.results.verdict.liveness import living
from ragtune.results.verdict.needs import fails
from ragtune.results.verdict.reasons import (
    Change,
    IdleChange,
    MachineTimeChange,
    MoreQuestions,
    NeedChange,
    OtherMetric,
    VolumeChange,
)
from ragtune.results.verdict.rule import recommend

VOLUMES = [round(10 ** (tenth / 10)) for tenth in range(91)]
"""Queries a month that are tried, ten a decade."""


def sensitivity(needs: Needs, evidence: Evidence) -> list[Change]:
    """Changes that lead to another arm than now, or to none.

    Thresholds are moved just past what the recommended arm measures; volumes are good to a tenth
    of a decade.
    """
    now = recommend(needs, evidence).arm
    found: list[Change] = [
        *_other_needs(needs, evidence),
        *(_thresholds(needs, evidence, now) if now else ()),
        *_without(needs, evidence),
        *_volumes(needs, evidence, now),
        *_idle(needs, evidence),
    ]
    if now and (more := _more_questions(needs, evidence, now)):
        found.append(more)
    return [change for change in found if change.arm != now]


def other_metrics(needs: Needs, evidence: Evidence) -> list[OtherMetric]:
    """The rule asked again under each other metric of single answers, in the registry's order."""
    common = [
        name
        for name in next(iter(evidence.arms.values())).quality
        if name != evidence.metric and name in evidence.baselines
    ]
    without = needs.model_copy(update={"min_quality": None})  # which is of the deciding metric
    return [
        OtherMetric(metric=name, arm=recommend(without, replace(evidence, metric=name)).arm)
        for name in common
    ]


def smallest_difference(evidence: Evidence) -> float | None:
    """The smallest difference between any two arms that are not dead that the questions show.

    None where there are no two, or where for some pair they show none.
    """
    alive = living(evidence)
    pairs = [
        pair
        for n, arm in enumerate(alive)
        for other in alive[n + 1 :]
        if (pair := evidence.between(arm, other))
    ]
    found = [pair.smallest for pair in pairs if pair.smallest is not None]
    return max(found) if found and len(found) == len(pairs) else None


def _changed(
    needs: Needs, evidence: Evidence, need: Any, value: Any, told: Any = None
) -> NeedChange:
    """A need with another value, and where it leads; ``told`` where another value says it."""
    arm = recommend(needs.model_copy(update={need: value}), evidence).arm
    return NeedChange(need=need, value=value if told is None else told, arm=arm)


def _other_needs(needs: Needs, evidence: Evidence) -> Iterator[Change]:
    if not needs.cite_sources:
        yield _changed(needs, evidence, "cite_sources", True)
    for often in ("never", "daily"):
        if often != needs.documents_change:
            yield _changed(needs, evidence, "documents_change", often)


def _thresholds(needs: Needs, evidence: Evidence, now: Arm) -> Iterator[Change]:
    p95, got = evidence.arms[now].latency_ms.p95, evidence.quality(now)
    yield _changed(needs, evidence, "p95_latency_ms", 0.999 * p95, told=p95)
    if got < 1:
        yield _changed(needs, evidence, "min_quality", got + 1e-6, told=got)


def _without(needs: Needs, evidence: Evidence) -> Iterator[Change]:
    """Each need that is set, dropped."""
    for name in ("p95_latency_ms", "min_quality", "budget_per_month"):
        if getattr(needs, name) is not None:
            yield _changed(needs, evidence, name, None)
    if needs.cite_sources:
        yield _changed(needs, evidence, "cite_sources", False)


def _volumes(needs: Needs, evidence: Evidence, now: Arm | None) -> list[Change]:
    """The nearest volume on either side of the present one that leads to another arm.

    Where none is given, cost is tokens; then each volume from which on machine time leads to an
    arm of its own.
    """
    picks = {
        volume: recommend(needs.model_copy(update={"queries_per_month": volume}), evidence).arm
        for volume in VOLUMES
    }
    present = needs.queries_per_month
    if present is None:
        starts = [v for n, v in enumerate(VOLUMES) if n == 0 or picks[v] != picks[VOLUMES[n - 1]]]
        return [
            MachineTimeChange(from_queries_per_month=v if n else 0, arm=picks[v])
            for n, v in enumerate(starts)
        ]
    lower = next((v for v in reversed(VOLUMES) if v < present and picks[v] != now), None)
    upper = next((v for v in VOLUMES if v > present and picks[v] != now), None)
    found: list[Change] = []
    if lower is not None:
        found.append(VolumeChange(queries_per_month=lower, side="fewer", arm=picks[lower]))
    if upper is not None:
        found.append(VolumeChange(queries_per_month=upper, side="more", arm=picks[upper]))
    return found


def _idle(needs: Needs, evidence: Evidence) -> Iterator[Change]:
    """No idle time to pay for, where a machine is kept."""
    arms = dict(evidence.arms)
    for name, arm in evidence.arms.items():
        if (rates := arm.cost.rates) is not None:
            unkept = arm.cost.model_copy(
                update={"rates": rates.model_copy(update={"kept_hours": 0.0})}
            )
            arms[name] = arm.model_copy(update={"cost": unkept})
    if any(arm.cost.rates and arm.cost.rates.kept_hours for arm in evidence.arms.values()):
        yield IdleChange(arm=recommend(needs, replace(evidence, arms=arms)).arm)


def _more_questions(needs: Needs, evidence: Evidence, now: Arm) -> MoreQuestions | None:
    """How many more questions would show the best arm to be better, where it is not the one."""
    left = [arm for arm in evidence.arms if fails(needs, evidence, arm) is None]
    best = max(left, key=evidence.quality)
    pair = evidence.between(best, now)
    if pair is None or not pair.more_questions or pair.mean <= 0:
        return None
    return MoreQuestions(more=pair.more_questions, arm=best)
