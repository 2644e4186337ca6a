"""The parts of a drawing: text, lines, axes and scales.

Lengths are in the units of a drawing `WIDTH` wide; text is 13 of them high.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from markupsafe import Markup, escape

WIDTH = 440
LEFT, RIGHT = 84, 424
"""Where a plot begins, right of the arms' names, and ends."""

Scale = Callable[[float], float]


def apart(places: Sequence[float], gap: float) -> list[float]:
    """The places, moved down where they would be less than ``gap`` apart."""
    moved = list(places)
    order = sorted(range(len(places)), key=lambda n: places[n])
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + gap)
    return moved


def linear(low: float, high: float, start: float, end: float) -> Scale:
    """The scale that takes ``low`` to ``start`` and ``high`` to ``end``."""
    return lambda value: start + (value - low) / (high - low) * (end - start)


def steps(most: float) -> list[float]:
    """Round numbers from 0 to ``most``: four to seven of them."""
    power = 10 ** math.floor(math.log10(most))
    step = next(power * f for f in (0.2, 0.25, 0.5, 1, 2) if most / (power * f) <= 6)
    return [n * step for n in range(int(most / step + 1e-9) + 1)]


def drawing(height: float, label: str, marks: Sequence[str]) -> Markup:
    """A drawing with its figures as a label, for who does not see it."""
    return Markup('<svg role="img" viewBox="0 0 {} {:.0f}" aria-label="{}">{}</svg>').format(
        WIDTH, height, label, Markup("".join(marks))
    )


def x_axis(ticks: Mapping[float, str], height: float) -> list[str]:
    """Grid lines down to ``height`` and the words below them, by place."""
    grid = [line(at, 6, at, height, "grid") for at in ticks]
    return grid + [text(at, height + 18, words, "middle") for at, words in ticks.items()]


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """A straight line in a style of the page."""
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def path(points: Sequence[tuple[float, float]], style: str, dash: str) -> str:
    """A line through points."""
    way = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    return f'<polyline class="{style}" stroke-dasharray="{dash}" points="{way}"/>'


def bar(x: float, y: float, width: float, height: float, style: str) -> str:
    """A rectangle in a style of the page."""
    return (
        f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" '
        f'height="{height:.1f}" rx="3"/>'
    )


def text(x: float, y: float, words: str, anchor: str, style: str = "") -> str:
    """Words at a place, which is their start, middle or end."""
    kind = f' class="{style}"' if style else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
