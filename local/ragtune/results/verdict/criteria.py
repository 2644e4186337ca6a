"""The criteria of the choice, and what each of them spoke for when it was measured.

Folklore says: tune for a narrow task, low latency, high throughput, curated labels and
predictable quality; retrieve for changing data, wide knowledge, few labels and a low initial
cost. Here each is held against this run's own figures for ``tuned`` and ``rag``. It speaks for
neither where they are within `NEAR` of each other, or where no difference can be told.
"""

from collections.abc import Iterator
from typing import Any

from ragtune.results.latency import brief
from ragtune.results.verdict.rule import NEAR, Figures, between, quality

TUNING, RETRIEVAL = "tuning", "retrieval"


def criteria(figures: Figures) -> list[dict[str, Any]]:
    """Each ``criterion`` with what it is ``said_for``, ``speaks_for`` here, and was ``measured``.

    Empty where ``tuned`` or ``rag`` is missing.
    """
    if not {"tuned", "rag"} <= set(figures["arms"]):
        return []
    found = [*_quality(figures), *_speed(figures), *_labels(figures), *_upkeep(figures)]
    return [
        {"criterion": name, "said_for": said, "speaks_for": spoke, "measured": measured}
        for name, said, spoke, measured in found
    ]


Line = tuple[str, str, str | None, str]


def _quality(figures: Figures) -> Iterator[Line]:
    better = _better(figures)
    arms = figures["arms"]
    told = (
        f"token F1 {quality(arms['tuned']):.2f} by tuning, {quality(arms['rag']):.2f} by retrieval"
        + ("" if better else "; not told apart")
    )
    yield "narrow task", TUNING, better, told
    yield "wide knowledge", RETRIEVAL, better, told
    if steps := {s["adds"]: s for s in figures["failures"]["steps"] if s["before"] == "base"}:
        right = figures["failures"]["right"]["base"]
        broke = {adds: step["broke"] for adds, step in steps.items()}
        even = abs(broke[TUNING] - broke[RETRIEVAL]) <= NEAR * right
        fewer = None if even else min(broke, key=lambda adds: broke[adds])
        yield (
            "predictable quality",
            TUNING,
            fewer,
            f"of {right} answers that base had right tuning broke {broke[TUNING]}, "
            f"retrieval {broke[RETRIEVAL]}",
        )


def _speed(figures: Figures) -> Iterator[Line]:
    tuned, rag = (figures["arms"][arm] for arm in ("tuned", "rag"))
    p95 = tuned["latency_ms"]["p95"], rag["latency_ms"]["p95"]
    yield (
        "low latency",
        TUNING,
        _lower(*p95),
        f"p95 of {p95[0]:.0f} ms by tuning, {p95[1]:.0f} ms by retrieval",
    )
    seconds = tuned["cost"]["seconds_per_1000"], rag["cost"]["seconds_per_1000"]
    yield (
        "high throughput",
        TUNING,
        _lower(*seconds),
        f"1,000 queries take {brief(seconds[0])} s by tuning, {brief(seconds[1])} s by retrieval",
    )


def _labels(figures: Figures) -> Iterator[Line]:
    gain = between(figures, "tuned", "base")
    records = figures["data"].get("train", 0)
    if gain:
        low, high = gain["ci95"]
        yield (
            "curated labels",
            TUNING,
            TUNING if gain["different"] and gain["mean"] > 0 else None,
            f"{records:,} records moved token F1 by {gain['mean']:+.2f} "
            f"({low:+.2f} to {high:+.2f})",
        )
    f1, better = quality(figures["arms"]["rag"]), _better(figures)
    told = f"retrieval reaches {f1:.2f} without a record; tuning "
    if curve := figures["learning_curve"]:
        first = curve["points"][0]
        at, (low, high) = first["arms"]["tuned"]["mean"], first["arms"]["tuned"]["ci95"]
        better = RETRIEVAL if f1 > high else TUNING if f1 < low else None
        told += f"{at:.2f} with {first['records']:,}"
    else:
        told += f"{quality(figures['arms']['tuned']):.2f} with {records:,}"
    yield "few labels", RETRIEVAL, better, told


def _upkeep(figures: Figures) -> Iterator[Line]:
    tuned, rag = (figures["arms"][arm] for arm in ("tuned", "rag"))
    fresh = tuned["freshness_seconds"], rag["freshness_seconds"]
    if None not in fresh:
        followed, count = figures["freshness"]["followed"], len(figures["freshness"]["changes"])
        yield (
            "changing data",
            RETRIEVAL,
            _lower(*fresh) if followed else None,
            f"from a changed document to an answer {brief(fresh[1])} s by indexing, "
            f"{brief(fresh[0])} s by tuning anew; {followed} of {count} answers followed the index",
        )
    once = tuned["cost"]["tuning_seconds"], rag["cost"]["indexing_seconds"]
    yield (
        "low initial cost",
        RETRIEVAL,
        _lower(*once),
        f"{brief(once[1])} s of indexing, {brief(once[0])} s of tuning",
    )


def _better(figures: Figures) -> str | None:
    """Which of the two answers better, where that can be told."""
    pair = between(figures, "tuned", "rag")
    if pair is None or not pair["different"]:
        return None
    return TUNING if pair["mean"] > 0 else RETRIEVAL


def _lower(tuned: float, rag: float) -> str | None:
    if max(tuned, rag) <= (1 + NEAR) * min(tuned, rag):
        return None
    return TUNING if tuned < rag else RETRIEVAL
