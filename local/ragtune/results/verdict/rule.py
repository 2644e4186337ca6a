"""The rule that names an arm, and the evidence for it.

1. What fails a need is out.
2. Of the rest, what is significantly worse than the best, or than any other of them, is out:
   token F1, paired by question, corrected for the number of comparisons (`statistics.compare`).
3. Of the rest the cheapest is chosen. Costs within `NEAR` of the cheapest are no reason to prefer
   it: among those the best token F1 decides.

Cost is machine time a month where ``needs.queries_per_month`` is given, tokens a question
otherwise. A need that no arm meets leaves none, and the recommendation says so; so it does when
even the best arm answers next to nothing.
"""

from collections.abc import Mapping
from typing import Any

from ragtune.recipe.schema import Needs
from ragtune.results.cost import fixed_seconds, monthly_seconds, price
from ragtune.results.latency import brief

METRIC = "token_f1"
NOTHING = 0.05
"""A best quality under this is no basis for a choice."""
NEAR = 0.1
"""Costs that differ by less than this share of the cheaper one count as equal."""

PERIODS = {"monthly": 365 / 12 * 86_400, "weekly": 7 * 86_400.0, "daily": 86_400.0}
"""Seconds between two changes of the documents."""

Figures = Mapping[str, Any]
Reason = dict[str, str]
"""``why``, the measurement, and the ``criterion`` of the choice that it answers (`criteria`)."""


def recommend(needs: Needs, figures: Figures) -> dict[str, Any]:
    """Name the arm that fits: ``arm`` (or None), ``because``, and why each other one is not it."""
    arms = figures["arms"]
    out = {arm: reason for arm in arms if (reason := fails(needs, arm, arms[arm]))}
    left = [arm for arm in arms if arm not in out]
    if not left:
        because = "no arm meets every need; relax one, or use a larger model"
        return {"arm": None, "because": because, "out": out, "metric": METRIC}
    best = max(left, key=lambda arm: quality(arms[arm]))
    if quality(arms[best]) < NOTHING:
        because = (
            f"no arm that meets the needs reaches token F1 {NOTHING}; relax one"
            if out
            else f"no arm reaches token F1 {NOTHING}; the model is too weak for these questions"
        )
        return {"arm": None, "because": because, "out": out, "metric": METRIC}
    others = sorted(left, key=lambda arm: -quality(arms[arm]))
    worse = {arm: reason for arm in left if (reason := _worse(figures, arm, others))}
    fit = [arm for arm in left if arm not in worse]
    lowest = min(cost(needs, arm, arms[arm]) for arm in fit)
    near = [arm for arm in fit if cost(needs, arm, arms[arm]) <= (1 + NEAR) * lowest]
    chosen = max(near, key=lambda arm: quality(arms[arm]))
    rest = {arm: _passed_over(needs, figures, arm, chosen, near) for arm in fit if arm != chosen}
    because = (
        f"token F1 {quality(arms[chosen]):.2f} at {_cost_text(needs, chosen, arms[chosen])}"
        + ("" if chosen == best else f", not distinguishable from {best}")
    )
    return {"arm": chosen, "because": because, "out": {**out, **worse, **rest}, "metric": METRIC}


def fails(needs: Needs, arm: str, figures: Figures) -> Reason | None:
    """Which need an arm fails, with the measurement; None where it meets them all."""
    p95 = figures["latency_ms"]["p95"]
    if needs.p95_latency_ms is not None and p95 > needs.p95_latency_ms:
        limit = f"over needs.p95_latency_ms {needs.p95_latency_ms:g}"
        return _reason(f"p95 latency {p95:.0f} ms, {limit}", "low latency")
    got = quality(figures)
    if needs.min_quality is not None and got < needs.min_quality:
        limit = f"under needs.min_quality {needs.min_quality:g}"
        return _reason(f"token F1 {got:.2f}, {limit}", "predictable quality")
    if needs.cite_sources and "rag" not in arm:
        return _reason("cites no sources, and needs.cite_sources asks for them", "sources")
    if needs.documents_change != "never" and (why := _stale(needs, arm, figures)):
        return _reason(why, "changing data")
    if needs.budget_per_month is not None and needs.queries_per_month is not None:
        bill = price(cost(needs, arm, figures), needs.price_per_hour) or 0.0
        if bill > needs.budget_per_month:
            limit = f"over needs.budget_per_month {needs.budget_per_month:g}"
            return _reason(f"{bill:.2f} a month, {limit}", _dear(needs, arm, figures))
    return None


def _stale(needs: Needs, arm: str, figures: Figures) -> str | None:
    """Why an arm does not keep up with its documents; None where it does, or was not measured."""
    change, seconds = needs.documents_change, figures["freshness_seconds"]
    if change == "daily" and "rag" not in arm:
        after = f" until it is tuned anew ({brief(seconds)} s)" if seconds else ""
        return f"knows only what it has learnt{after}, and needs.documents_change is daily"
    if seconds and seconds > PERIODS[change]:
        return f"answers by a changed document after {brief(seconds)} s; they change {change}"
    return None


def quality(arm: Figures) -> float:
    """The mean that the rule judges by."""
    return float(arm["quality"][METRIC]["mean"])


def cost(needs: Needs, arm: str, figures: Figures) -> float:
    """Machine seconds a month where the number of queries is known, else tokens a question."""
    if needs.queries_per_month is None:
        tokens = figures["tokens"]
        return float(tokens["prompt_mean"] + tokens["completion_mean"])
    queries = needs.queries_per_month
    return monthly_seconds(arm, figures["cost"], queries, needs.documents_change)


def between(figures: Figures, left: str, right: str) -> Figures | None:
    """The comparison of two arms, as if ``left`` stood on the left; None where there is none."""
    for pair in figures["differences"]:
        if pair["metric"] != METRIC or {pair["left"], pair["right"]} != {left, right}:
            continue
        if pair["left"] == left:
            return dict(pair)
        low, high = pair["ci95"]
        return {**pair, "mean": -pair["mean"], "ci95": [-high, -low]}
    return None


def _worse(figures: Figures, arm: str, others: list[str]) -> Reason | None:
    """Why ``arm`` is significantly worse than one of ``others``; None where it is not."""
    for other in others:
        pair = between(figures, other, arm)
        if pair and pair["different"] and pair["mean"] > 0:
            low, high = pair["ci95"]
            gap = f"{pair['mean']:.2f} ({low:.2f} to {high:.2f})"
            return _reason(f"token F1 lower than {other}'s by {gap}", _lacks(arm, other))
    return None


def _lacks(worse: str, better: str) -> str:
    """The criterion behind a difference in quality: what one arm has and the other has not."""
    if "rag" in better and "rag" not in worse:
        return "wide knowledge"
    if "tuned" in better and "tuned" not in worse:
        return "narrow task"
    return "narrow task" if "rag" in worse and "rag" not in better else "curated labels"


def _passed_over(needs: Needs, figures: Figures, arm: str, chosen: str, near: list[str]) -> Reason:
    """Why an arm that is good enough is not the one."""
    at = _cost_text(needs, arm, figures["arms"][arm])
    pair = between(figures, chosen, arm)
    more = pair["more_questions"] if pair else None
    would = f"; about {rounded(more)} more questions would tell" if more else ""
    close = arm in near
    same = ", about the same cost" if close else ""
    why = f"not distinguishable from {chosen}, at {at}{same}{would}"
    dear = _dear(needs, arm, figures["arms"][arm])
    return _reason(why, _lacks(arm, chosen) if close else dear)


def _dear(needs: Needs, arm: str, figures: Figures) -> str:
    """The criterion behind a cost: what is paid once, or what is paid for each query."""
    if needs.queries_per_month is None:
        return "high throughput"
    once = fixed_seconds(arm, figures["cost"], needs.documents_change)
    return "low initial cost" if once > cost(needs, arm, figures) / 2 else "high throughput"


def _reason(why: str, criterion: str) -> Reason:
    return {"why": why, "criterion": criterion}


def _cost_text(needs: Needs, arm: str, figures: Figures) -> str:
    amount = cost(needs, arm, figures)
    if needs.queries_per_month is None:
        return f"{amount:.0f} tokens a question"
    bill = price(amount, needs.price_per_hour)
    return f"{amount / 3600:.3g} machine hours a month" + (f" ({bill:.2f})" if bill else "")


def rounded(count: float) -> str:
    """A count to two significant digits, with thousands separated."""
    return f"{float(f'{count:.2g}'):,.0f}"
