"""The rule that names an arm, and the evidence for it.

What fails a need is out. Of the rest the cheapest is chosen that is not significantly worse than
the best, where worse is judged on token F1, paired by question, at 95 %; cheap is few tokens a
question. A need that no arm meets leaves none, and the recommendation says so; so it does when
even the best arm answers next to nothing.
"""

from typing import Any

from local.recipe import Needs

METRIC = "token_f1"
NOTHING = 0.05
"""A best quality under this is no basis for a choice."""


def recommend(needs: Needs, figures: dict[str, Any]) -> dict[str, Any]:
    """Name the arm that fits: ``arm`` (or None), ``because``, and why each other one is not it."""
    arms = figures["arms"]
    out = {arm: reason for arm in arms if (reason := _fails(needs, arm, arms[arm]))}
    left = [arm for arm in arms if arm not in out]
    if not left:
        because = "no arm meets every need; relax one, or use a larger model"
        return {"arm": None, "because": because, "out": out, "metric": METRIC}
    best = max(left, key=lambda arm: _quality(arms[arm]))
    if _quality(arms[best]) < NOTHING:
        because = f"no arm reaches token F1 {NOTHING}; the model is too weak for these questions"
        return {"arm": None, "because": because, "out": out, "metric": METRIC}
    worse = {arm: reason for arm in left if (reason := _worse(figures, arm, best))}
    fit = [arm for arm in left if arm not in worse]
    chosen = min(fit, key=lambda arm: _tokens(arms[arm]))
    dearer = {
        arm: f"not distinguishable from {chosen}, at {_tokens(arms[arm]):.0f} tokens a question"
        for arm in fit
        if arm != chosen
    }
    because = (
        f"token F1 {_quality(arms[chosen]):.2f} at {_tokens(arms[chosen]):.0f} tokens a question"
        + ("" if chosen == best else f", not distinguishable from {best}")
    )
    return {"arm": chosen, "because": because, "out": {**out, **worse, **dearer}, "metric": METRIC}


def _fails(needs: Needs, arm: str, figures: dict[str, Any]) -> str | None:
    p95 = figures["latency_ms"]["p95"]
    if needs.p95_latency_ms is not None and p95 > needs.p95_latency_ms:
        return f"p95 latency {p95:.0f} ms, over needs.p95_latency_ms {needs.p95_latency_ms:g}"
    quality = _quality(figures)
    if needs.min_quality is not None and quality < needs.min_quality:
        return f"token F1 {quality:.2f}, under needs.min_quality {needs.min_quality:g}"
    if needs.cite_sources and "rag" not in arm:
        return "cites no sources, and needs.cite_sources asks for them"
    if needs.documents_change == "daily" and arm == "tuned":
        return "knows only what it was tuned on, and needs.documents_change is daily"
    return None


def _worse(figures: dict[str, Any], arm: str, best: str) -> str | None:
    """Why ``arm`` is significantly worse than ``best``; None where it is not."""
    for pair in figures["differences"]:
        if pair["metric"] != METRIC or {pair["left"], pair["right"]} != {arm, best}:
            continue
        sign = 1 if pair["left"] == best else -1
        low, high = sorted(sign * bound for bound in pair["ci95"])
        if low > 0:
            span = f"{sign * pair['mean']:.2f} ({low:.2f} to {high:.2f})"
            return f"token F1 lower than {best}'s by {span}"
    return None


def _quality(arm: dict[str, Any]) -> float:
    return float(arm["quality"][METRIC]["mean"])


def _tokens(arm: dict[str, Any]) -> float:
    return float(arm["tokens"]["prompt_mean"] + arm["tokens"]["completion_mean"])
