"""The rule that names an arm, and the evidence for it.

1. What fails a need is out.
2. Of the rest, what is significantly worse than the best, or than any other of them, is out:
   the deciding metric, paired by question, corrected for the number of comparisons
   (`statistics.compare`).
3. Of the rest the cheapest is chosen. Costs within `NEAR` of the cheapest are no reason to prefer
   it: among those the best quality decides.

Cost is machine time a month where ``needs.queries_per_month`` is given, tokens a question
otherwise. A need that no arm meets leaves none, and the recommendation says so; so it does when
even the best arm answers next to nothing.
"""

from collections.abc import Sequence

from ragtune.recipe.schema import Arm, Needs
from ragtune.results.cost import fixed_seconds, monthly_seconds, price
from ragtune.results.schema import ArmFigures
from ragtune.results.verdict.evidence import Evidence
from ragtune.results.verdict.reasons import (
    Choice,
    Chosen,
    Criterion,
    LearntOnly,
    NeedsUnmet,
    NoSources,
    NotBetter,
    NothingAnswered,
    OverBudget,
    Reason,
    Spending,
    TooPoor,
    TooSlow,
    TooStale,
    Worse,
)

NOTHING = 0.05
"""A best quality under this is no basis for a choice."""
NEAR = 0.1
"""Costs that differ by less than this share of the cheaper one count as equal."""

PERIODS = {"monthly": 365 / 12 * 86_400, "weekly": 7 * 86_400.0, "daily": 86_400.0}
"""Seconds between two changes of the documents."""


def recommend(needs: Needs, evidence: Evidence) -> Choice:
    """Name the arm that fits, why, and why each other one is not it."""
    arms, quality = evidence.arms, evidence.quality
    out = {arm: reason for arm in arms if (reason := fails(needs, evidence, arm))}
    left = [arm for arm in arms if arm not in out]
    if not left:
        return Choice(arm=None, because=NeedsUnmet(), out=out)
    best = max(left, key=quality)
    if quality(best) < NOTHING:
        nothing = NothingAnswered(metric=evidence.metric, least=NOTHING, needs_failed=bool(out))
        return Choice(arm=None, because=nothing, out=out)
    others = sorted(left, key=lambda arm: -quality(arm))
    worse = {arm: reason for arm in left if (reason := _worse(evidence, arm, others))}
    fit = [arm for arm in left if arm not in worse]
    costs = {arm: spending(needs, arm, arms[arm]) for arm in fit}
    lowest = min(cost.amount for cost in costs.values())
    near = [arm for arm in fit if costs[arm].amount <= (1 + NEAR) * lowest]
    chosen = max(near, key=quality)
    rest = {
        arm: _not_better(needs, evidence, arm, chosen, costs[arm], close=arm in near)
        for arm in fit
        if arm != chosen
    }
    because = Chosen(
        metric=evidence.metric,
        mean=quality(chosen),
        spending=costs[chosen],
        not_different_from=None if chosen == best else best,
    )
    return Choice(arm=chosen, because=because, out={**out, **worse, **rest})


def fails(needs: Needs, evidence: Evidence, arm: Arm) -> Reason | None:
    """Which need an arm fails, with the measurement; None where it meets them all."""
    of, got = evidence.arms[arm], evidence.quality(arm)
    p95, limit = of.latency_ms.p95, needs.p95_latency_ms
    if limit is not None and p95 > limit:
        return TooSlow(criterion="low latency", p95_ms=p95, limit_ms=limit)
    least = needs.min_quality
    if least is not None and got < least:
        return TooPoor(
            criterion="predictable quality", metric=evidence.metric, mean=got, limit=least
        )
    if needs.cite_sources and "rag" not in arm:
        return NoSources(criterion="sources")
    if stale := _stale(needs, arm, of.freshness_seconds):
        return stale
    if needs.budget_per_month is not None and needs.queries_per_month is not None:
        bill = spending(needs, arm, of).price or 0.0
        if bill > needs.budget_per_month:
            return OverBudget(
                criterion=_dear(needs, arm, of), price=bill, limit=needs.budget_per_month
            )
    return None


def _stale(needs: Needs, arm: Arm, seconds: float | None) -> Reason | None:
    """Why an arm does not keep up with its documents; None where it does, or was not measured."""
    change = needs.documents_change
    if change == "never":
        return None
    if change == "daily" and "rag" not in arm:
        return LearntOnly(criterion="changing data", seconds=seconds)
    if seconds and seconds > PERIODS[change]:
        return TooStale(criterion="changing data", seconds=seconds, documents_change=change)
    return None


def spending(needs: Needs, arm: Arm, figures: ArmFigures) -> Spending:
    """Machine seconds a month where the number of queries is known, else tokens a question."""
    if needs.queries_per_month is None:
        tokens = figures.tokens.prompt_mean + figures.tokens.completion_mean
        return Spending(unit="tokens a question", amount=tokens, price=None)
    queries = needs.queries_per_month
    seconds = monthly_seconds(arm, figures.cost, queries, needs.documents_change)
    bill = price(seconds, needs.price_per_hour)
    return Spending(unit="machine seconds a month", amount=seconds, price=bill)


def _worse(evidence: Evidence, arm: Arm, others: Sequence[Arm]) -> Worse | None:
    """Why ``arm`` is significantly worse than one of ``others``; None where it is not."""
    for other in others:
        pair = evidence.between(other, arm)
        if pair and pair.different and pair.mean > 0:
            return Worse(
                criterion=_lacks(arm, other),
                other=other,
                metric=evidence.metric,
                mean=pair.mean,
                ci95=pair.ci95,
            )
    return None


def _lacks(worse: Arm, better: Arm) -> Criterion:
    """The criterion behind a difference in quality: what one arm has and the other has not."""
    if "rag" in better and "rag" not in worse:
        return "wide knowledge"
    if "tuned" in better and "tuned" not in worse:
        return "narrow task"
    return "narrow task" if "rag" in worse and "rag" not in better else "curated labels"


def _not_better(
    needs: Needs, evidence: Evidence, arm: Arm, chosen: Arm, cost: Spending, *, close: bool
) -> NotBetter:
    """Why an arm that is good enough is not the one."""
    pair = evidence.between(chosen, arm)
    dear = _dear(needs, arm, evidence.arms[arm])
    return NotBetter(
        criterion=_lacks(arm, chosen) if close else dear,
        other=chosen,
        spending=cost,
        close=close,
        more_questions=pair.more_questions if pair else None,
    )


def _dear(needs: Needs, arm: Arm, figures: ArmFigures) -> Criterion:
    """The criterion behind a cost: what is paid once, or what is paid for each query."""
    if needs.queries_per_month is None:
        return "high throughput"
    once = fixed_seconds(arm, figures.cost, needs.documents_change)
    half = spending(needs, arm, figures).amount / 2
    return "low initial cost" if once > half else "high throughput"
