"""The needs of a recipe: which of them an arm fails, and what an arm costs by them.

Cost is machine time a month where ``needs.queries_per_month`` is given, tokens a question
otherwise. Machine time has tuning's own in it. The machine of a run made here costs every arm the
same while nobody asks, so its idle time is left out. Where a target serves the models, what is paid
a month is compared instead, idle time included: an endpoint costs as much at no queries.
"""

from ragtune.recipe.arms import Arm, cites, reads_documents
from ragtune.recipe.schema import Needs
from ragtune.results.cost import fixed_price, fixed_seconds, monthly_price, monthly_seconds
from ragtune.results.schema import ArmFigures
from ragtune.results.verdict.evidence import Evidence
from ragtune.results.verdict.measured import Criterion
from ragtune.results.verdict.reasons import (
    LearntOnly,
    NoSources,
    OverBudget,
    Reason,
    Spending,
    TooPoor,
    TooSlow,
    TooStale,
)

NEAR = 0.1
"""Costs that differ by less than this share of the cheaper one count as equal."""

PERIODS = {"monthly": 365 / 12 * 86_400, "weekly": 7 * 86_400.0, "daily": 86_400.0}
"""Seconds between two changes of the documents."""


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
    if needs.cite_sources and not cites(arm):
        return NoSources(criterion="sources")
    if stale := _stale(needs, arm, of.freshness_seconds):
        return stale
    if needs.budget_per_month is not None and needs.queries_per_month is not None:
        bill = spending(needs, arm, of).price or 0.0
        if bill > needs.budget_per_month:
            return OverBudget(
                criterion=dear(needs, arm, of), price=bill, limit=needs.budget_per_month
            )
    return None


def _stale(needs: Needs, arm: Arm, seconds: float | None) -> Reason | None:
    """Why an arm does not keep up with its documents; None where it does, or was not measured."""
    change = needs.documents_change
    if change == "never":
        return None
    if change == "daily" and not reads_documents(arm):
        return LearntOnly(criterion="changing data", seconds=seconds)
    if seconds and seconds > PERIODS[change]:
        return TooStale(criterion="changing data", seconds=seconds, documents_change=change)
    return None


def spending(needs: Needs, arm: Arm, figures: ArmFigures) -> Spending:
    """What a month takes where the number of queries is known, else tokens a question.

    It is the price where a target serves the models and has one, else machine seconds.
    """
    queries = needs.queries_per_month
    if queries is None:
        tokens = figures.tokens.prompt_mean + figures.tokens.completion_mean
        return Spending(unit="tokens a question", amount=tokens, price=None)
    bill = monthly_price(arm, figures.cost, needs, queries)
    if figures.cost.rates and bill is not None:
        return Spending(unit="price a month", amount=bill, price=bill)
    seconds = monthly_seconds(arm, figures.cost, queries, needs.documents_change)
    return Spending(unit="machine seconds a month", amount=seconds, price=bill)


def dear(needs: Needs, arm: Arm, figures: ArmFigures) -> Criterion:
    """The criterion behind a cost: what is paid once, or what is paid for each query."""
    if needs.queries_per_month is None:
        return "high throughput"
    cost = spending(needs, arm, figures)
    once = fixed_seconds(arm, figures.cost, needs.documents_change)
    if cost.unit == "price a month":
        once = fixed_price(arm, figures.cost, needs) or 0.0
    return "low initial cost" if once > cost.amount / 2 else "high throughput"
