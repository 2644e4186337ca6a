"""Right answers of each arm as bars."""

from collections.abc import Mapping

from markupsafe import Markup

from ragtune.recipe.arms import Arm
from ragtune.results import wording
from ragtune.results.page.svg import LEFT, RIGHT, bar, drawing, line, linear, text, x_axis
from ragtune.results.schema import ArmFigures

ROW = 38


def right(arms: Mapping[Arm, ArmFigures], of: int, classes: Mapping[Arm, str]) -> Markup:
    """A bar an arm, ``of`` questions long at most; the line across its end is the interval.

    An arm with seeds has the mean's bar, and a tick at the number of each.
    """
    x = linear(0, of, LEFT, RIGHT - 36)
    marks, told_of = [], []
    for n, (arm, figures) in enumerate(arms.items()):
        y, count = 6 + n * ROW, wording.right(figures, of)
        low, high = (bound * of for bound in figures.right.ci95)
        seeds = f", {told}" if (told := wording.seeds(figures)) else ""
        told_of.append(f"{arm} {count}, from {low:.0f} to {high:.0f}{seeds}")
        middle = y + 13
        marks += [
            text(LEFT - 10, middle + 5, arm, "end"),
            bar(LEFT, y, x(figures.right.mean * of) - LEFT, 26, classes[arm]),
            line(x(low), middle, x(high), middle, "whisker"),
            line(x(low), middle - 5, x(low), middle + 5, "whisker"),
            line(x(high), middle - 5, x(high), middle + 5, "whisker"),
            text(x(high) + 8, middle + 5, f"{count}", "start", "figure"),
        ]
        if len(figures.right_by_seed) > 1:
            marks += [
                line(x(seed), y + 19, x(seed), y + 26, "seed") for seed in figures.right_by_seed
            ]
    height = 8 + len(arms) * ROW
    ticks = {x(t): f"{t:g}" for t in ((0, of) if of < 4 else (0, of / 2, of))}
    told = f"Right answers of {of}: {'; '.join(told_of)}"
    return drawing(height + 24, told, [*x_axis(ticks, height), *marks])
