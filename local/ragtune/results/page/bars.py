"""Right answers of each arm as bars."""

from collections.abc import Mapping

from markupsafe import Markup

from ragtune.recipe.arms import Arm
from ragtune.results.page.svg import LEFT, RIGHT, bar, drawing, line, linear, text, x_axis
from ragtune.results.parts import Mean

ROW = 38


def right(
    counts: Mapping[Arm, int], shares: Mapping[Arm, Mean], of: int, classes: Mapping[Arm, str]
) -> Markup:
    """A bar an arm, ``of`` questions long at most; the line across its end is the interval."""
    x = linear(0, of, LEFT, RIGHT - 36)
    marks, told_of = [], []
    for n, (arm, count) in enumerate(counts.items()):
        y = 6 + n * ROW
        low, high = (bound * of for bound in shares[arm].ci95)
        told_of.append(f"{arm} {count}, from {low:.0f} to {high:.0f}")
        middle = y + 13
        marks += [
            text(LEFT - 10, middle + 5, arm, "end"),
            bar(LEFT, y, x(count) - LEFT, 26, classes[arm]),
            line(x(low), middle, x(high), middle, "whisker"),
            line(x(low), middle - 5, x(low), middle + 5, "whisker"),
            line(x(high), middle - 5, x(high), middle + 5, "whisker"),
            text(x(high) + 8, middle + 5, f"{count}", "start", "figure"),
        ]
    height = 8 + len(counts) * ROW
    ticks = {x(t): f"{t:g}" for t in ((0, of) if of < 4 else (0, of / 2, of))}
    told = f"Right answers of {of}: {'; '.join(told_of)}"
    return drawing(height + 24, told, [*x_axis(ticks, height), *marks])
