"""The report's plots, as SVG that stands in the page and takes its colours from the page's style.

Lengths are in the units of a drawing `WIDTH` wide; text is 13 of them high.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup, escape

from ragtune.recipe.schema import Needs
from ragtune.results.cost import monthly_seconds

WIDTH = 440
LEFT, RIGHT = 84, 424
ROW = 34
CLASSES = {"base": "base", "tuned": "tuned", "rag": "rag", "tuned+rag": "both"}
DASHES = {"base": "2 4", "tuned": "8 4", "rag": "none", "tuned+rag": "10 3 2 3"}
"""Lines differ in more than colour."""

Scale = Callable[[float], float]


def quality(arms: Mapping[str, Any]) -> Markup:
    """Token F1 of each arm with its 95 % interval."""
    x = _linear(0, 1, LEFT, RIGHT)
    marks, told_of = [], []
    for n, (name, arm) in enumerate(arms.items()):
        f1, y = arm["quality"]["token_f1"], 30 + n * ROW
        low, high = f1["ci95"]
        told_of.append(f"{name} {f1['mean']:.2f}, from {low:.2f} to {high:.2f}")
        marks += [
            _text(LEFT - 10, y + 4, name, "end"),
            _line(x(low), y, x(high), y, f"interval {CLASSES[name]}"),
            f'<circle class="{CLASSES[name]}" cx="{x(f1["mean"]):.1f}" cy="{y}" r="6"/>',
            _text(x(f1["mean"]), y - 10, f"{f1['mean']:.2f}", "middle"),
        ]
    height = 26 + len(arms) * ROW
    told = "; ".join(told_of)
    ticks = {x(t): f"{t:g}" for t in (0, 0.25, 0.5, 0.75, 1)}
    return _svg(height + 24, f"Token F1: {told}", [*_x_axis(ticks, height), *marks])


def latency(seconds: Mapping[str, Sequence[float]], arms: Mapping[str, Any]) -> Markup:
    """Each timed question as a dot, by arm, with lines at the median and the 95th percentile."""
    most = 1000 * max(max(values) for values in seconds.values())
    x = _linear(0, most, LEFT, RIGHT)
    marks = []
    for n, (name, values) in enumerate(seconds.items()):
        y = 20 + n * ROW
        times = arms[name]["latency_ms"]
        marks.append(_text(LEFT - 10, y + 4, name, "end"))
        marks += [
            f'<circle class="dot {CLASSES[name]}" cx="{x(1000 * s):.1f}" cy="{y + (k % 5 - 2) * 2}"'
            ' r="3"/>'
            for k, s in enumerate(values)
        ]
        marks += [_line(x(times[p]), y - 11, x(times[p]), y + 11, "mark") for p in ("p50", "p95")]
    height = 20 + len(seconds) * ROW
    told = "; ".join(
        f"{name} median {arms[name]['latency_ms']['p50']:.0f}, 95th percentile "
        f"{arms[name]['latency_ms']['p95']:.0f}"
        for name in seconds
    )
    ticks = {x(t): f"{t:g}" for t in _steps(most)}
    return _svg(height + 24, f"Latency in ms: {told}", [*_x_axis(ticks, height), *marks])


def losses(epochs: Sequence[Mapping[str, float]]) -> Markup:
    """Training and validation loss by epoch."""
    named = {"train_loss": ("training", "tuned"), "eval_loss": ("validation", "rag")}
    values = [e[k] for e in epochs for k in named if k in e]
    if not values:
        return Markup("")
    first, last = epochs[0]["epoch"], epochs[-1]["epoch"]
    x = _linear(first, max(last, first + 1), LEFT - 40, RIGHT - 80)
    low, high = min(values), max(values)
    y = _linear(low, high if high > low else low + 1, 150, 20)
    ticks = {x(e["epoch"]): f"{e['epoch']:g}" for e in epochs[:: max(1, len(epochs) // 8)]}
    marks = _x_axis(ticks, 160)
    marks += [_text(LEFT - 50, y(v) + 4, f"{v:.2f}", "end") for v in {low, high}]
    for key, (words, style) in named.items():
        points = [(x(e["epoch"]), y(e[key])) for e in epochs if key in e]
        if not points:
            continue
        marks.append(_path(points, style, "none" if key == "eval_loss" else "6 4"))
        marks += [f'<circle class="{style}" cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b in points]
        marks.append(_text(points[-1][0] + 8, points[-1][1] + 4, words, "start"))
    told = "; ".join(
        f"epoch {e['epoch']:g}: "
        + ", ".join(f"{w} {e[k]:.3f}" for k, (w, _) in named.items() if k in e)
        for e in epochs
    )
    return _svg(184, f"Loss a token in nats: {told}", marks)


def learning(curve: Mapping[str, Any]) -> Markup:
    """Token F1 of each tuned arm against the records that it was tuned on, with intervals."""
    points = curve["points"]
    most = points[-1]["records"]
    x, y = _linear(0, most, LEFT - 40, RIGHT - 80), _linear(0, 1, 150, 20)
    marks = _x_axis({x(p["records"]): f"{p['records']:,}" for p in points}, 160)
    marks += [_text(LEFT - 50, y(v) + 4, f"{v:g}", "end") for v in (0, 0.5, 1)]
    ends = _apart([y(points[-1]["arms"][arm]["mean"]) for arm in curve["enough"]], 14)
    told_of = []
    for arm, end in zip(curve["enough"], ends, strict=True):
        means = [(x(p["records"]), y(p["arms"][arm]["mean"])) for p in points]
        marks += [
            _line(at, y(low), at, y(high), f"interval {CLASSES[arm]}")
            for (at, _), (low, high) in zip(
                means, (p["arms"][arm]["ci95"] for p in points), strict=True
            )
        ]
        marks.append(_path(means, CLASSES[arm], DASHES[arm]))
        marks.append(_text(means[-1][0] + 8, end + 4, arm, "start"))
        told_of += [f"{arm} {p['arms'][arm]['mean']:.2f} with {p['records']}" for p in points]
    return _svg(184, f"Token F1 by training records: {'; '.join(told_of)}", marks)


def cost(arms: Mapping[str, Any], needs: Needs) -> Markup:
    """Machine hours a month of each arm against queries a month, both logarithmic."""
    volumes = [10 ** (n / 4) for n in range(8, 29)]
    hours = {
        name: [
            monthly_seconds(name, arm["cost"], v, needs.documents_change) / 3600 for v in volumes
        ]
        for name, arm in arms.items()
    }
    low = math.floor(math.log10(min(min(h) for h in hours.values())))
    high = math.ceil(math.log10(max(max(h) for h in hours.values())))
    x, y = _linear(2, 7, LEFT - 30, RIGHT - 70), _linear(low, high, 190, 16)
    ticks = {
        x(n): words
        for n, words in ((2, "100"), (3, "1k"), (4, "10k"), (5, "100k"), (6, "1M"), (7, "10M"))
    }
    marks = _x_axis(ticks, 200)
    marks += [_text(LEFT - 38, y(n) + 4, f"{10.0**n:g}", "end") for n in range(low, high + 1)]
    if needs.queries_per_month:
        here = x(min(7.0, max(2.0, math.log10(needs.queries_per_month))))
        marks += [_line(here, 16, here, 200, "mark"), _text(here + 4, 14, "needs", "start")]
    ends = _apart([y(math.log10(h[-1])) for h in hours.values()], 14)
    for (name, values), end in zip(hours.items(), ends, strict=True):
        points = [
            (x(math.log10(v)), y(math.log10(h))) for v, h in zip(volumes, values, strict=True)
        ]
        marks.append(_path(points, CLASSES[name], DASHES[name]))
        marks.append(_text(points[-1][0] + 6, end + 4, name, "start"))
    told = "; ".join(
        f"{name} {h[0]:.2g} at 100 queries, {h[-1]:.2g} at 10 million" for name, h in hours.items()
    )
    return _svg(224, f"Machine hours a month: {told}", marks)


def _apart(places: Sequence[float], gap: float) -> list[float]:
    """The places, moved down where they would stand less than ``gap`` apart."""
    moved = list(places)
    order = sorted(range(len(places)), key=lambda n: places[n])
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + gap)
    return moved


def _linear(low: float, high: float, start: float, end: float) -> Scale:
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _steps(most: float) -> list[float]:
    """Round numbers from 0 to ``most``: four to seven of them."""
    power = 10 ** math.floor(math.log10(most))
    step = next(power * f for f in (0.2, 0.25, 0.5, 1, 2) if most / (power * f) <= 6)
    return [n * step for n in range(int(most / step + 1e-9) + 1)]


def _svg(height: float, label: str, marks: Sequence[str]) -> Markup:
    return Markup('<svg role="img" viewBox="0 0 {} {:.0f}" aria-label="{}">{}</svg>').format(
        WIDTH, height, label, Markup("".join(marks))
    )


def _x_axis(ticks: Mapping[float, str], height: float) -> list[str]:
    grid = [_line(at, 6, at, height, "grid") for at in ticks]
    return grid + [_text(at, height + 18, words, "middle") for at, words in ticks.items()]


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _path(points: Sequence[tuple[float, float]], style: str, dash: str) -> str:
    way = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    return f'<polyline class="{style}" stroke-dasharray="{dash}" points="{way}"/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
