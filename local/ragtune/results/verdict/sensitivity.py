"""What would change the verdict: the rule asked again, with one need changed at a time."""

from collections.abc import Iterator
from typing import Any

from ragtune.recipe.schema import Needs
from ragtune.results.verdict.rule import Figures, between, fails, quality, recommend, rounded

VOLUMES = [round(10 ** (tenth / 10)) for tenth in range(91)]
"""Queries a month that are tried, ten a decade."""


def sensitivity(needs: Needs, figures: Figures) -> list[dict[str, Any]]:
    """Changes that lead to another arm: ``change`` in words, ``arm`` (None: no arm fits then).

    Thresholds are moved just past what the recommended arm measures; volumes are good to a tenth
    of a decade.
    """
    now = recommend(needs, figures)["arm"]
    tried = [
        *_other_words(needs),
        *(_thresholds(needs, figures["arms"][now]) if now else ()),
        *_without(needs),
    ]
    found = [(change, recommend(other, figures)["arm"]) for change, other in tried]
    found += _volumes(needs, figures, now)
    if now and (more := _more_questions(needs, figures, now)):
        found.append(more)
    return [{"change": change, "arm": arm} for change, arm in found if arm != now]


def _with(needs: Needs, **changes: Any) -> Needs:
    return needs.model_copy(update=changes)


def _other_words(needs: Needs) -> Iterator[tuple[str, Needs]]:
    if not needs.cite_sources:
        yield "sources required", _with(needs, cite_sources=True)
    for often in ("never", "daily"):
        if often != needs.documents_change:
            words = "documents that never change" if often == "never" else "documents change daily"
            yield words, _with(needs, documents_change=often)


def _thresholds(needs: Needs, arm: Figures) -> Iterator[tuple[str, Needs]]:
    p95, got = arm["latency_ms"]["p95"], quality(arm)
    yield f"a p95 limit under {p95:.0f} ms", _with(needs, p95_latency_ms=0.999 * p95)
    if got < 1:
        yield f"a token F1 over {got:.2f} required", _with(needs, min_quality=got + 1e-6)


def _without(needs: Needs) -> Iterator[tuple[str, Needs]]:
    """Each need that is set, dropped."""
    for name, words in (
        ("p95_latency_ms", "no p95 limit"),
        ("min_quality", "no minimum quality"),
        ("budget_per_month", "no budget"),
    ):
        if getattr(needs, name) is not None:
            yield words, _with(needs, **{name: None})
    if needs.cite_sources:
        yield "no sources required", _with(needs, cite_sources=False)


def _volumes(needs: Needs, figures: Figures, now: str | None) -> list[tuple[str, str | None]]:
    """The nearest volume on either side of the present one that leads to another arm.

    Where none is given, cost is tokens; then each volume from which on machine time leads to an
    arm of its own.
    """
    picks = {
        volume: recommend(_with(needs, queries_per_month=volume), figures)["arm"]
        for volume in VOLUMES
    }
    present = needs.queries_per_month
    if present is None:
        starts = [v for n, v in enumerate(VOLUMES) if n == 0 or picks[v] != picks[VOLUMES[n - 1]]]
        volumes = ["at few", *(f"from {rounded(v)}" for v in starts[1:])]
        return [
            (f"cost by machine time, {volume} queries a month", picks[v])
            for volume, v in zip(volumes, starts, strict=True)
        ]
    lower = next((v for v in reversed(VOLUMES) if v < present and picks[v] != now), None)
    upper = next((v for v in VOLUMES if v > present and picks[v] != now), None)
    found = []
    if lower is not None:
        found.append((f"{rounded(lower)} queries a month or fewer", picks[lower]))
    if upper is not None:
        found.append((f"{rounded(upper)} queries a month or more", picks[upper]))
    return found


def _more_questions(needs: Needs, figures: Figures, now: str) -> tuple[str, str] | None:
    """How many more questions would show the best arm to be better, where it is not the one."""
    arms = figures["arms"]
    left = [arm for arm in arms if fails(needs, arm, arms[arm]) is None]
    best = max(left, key=lambda arm: quality(arms[arm]))
    pair = between(figures, best, now)
    if pair is None or not pair["more_questions"] or pair["mean"] <= 0:
        return None
    return f"about {rounded(pair['more_questions'])} more questions with answers like these", best
