"""The report's plots, as SVG that is part of the page and takes its colours from the page's style.

Lengths are in the units of `ragtune.results.page.svg`.
"""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from ragtune.recipe.arms import Arm
from ragtune.recipe.schema import Needs
from ragtune.results.cost import monthly_seconds
from ragtune.results.page.svg import (
    LEFT,
    RIGHT,
    apart,
    drawing,
    line,
    linear,
    path,
    steps,
    text,
    x_axis,
)
from ragtune.results.schema import ArmFigures, LearningCurve, Training

ROW = 34
CLASSES: dict[Arm, str] = {
    "base": "base",
    "fewshot": "shots",
    "tuned": "tuned",
    "rag-records": "records",
    "rag": "rag",
    "tuned+rag": "both",
}
DASHES: dict[Arm, str] = {
    "base": "2 4",
    "fewshot": "14 4",
    "tuned": "7 4",
    "rag-records": "10 3 2 3 2 3",
    "rag": "none",
    "tuned+rag": "10 3 2 3",
}
"""Lines differ in more than colour."""
MOST_STEPS = 1000
"""Points of a loss curve; a longer training is drawn as means over equal stretches."""


def quality(arms: Mapping[Arm, ArmFigures], metric: str, title: str) -> Markup:
    """A metric of each arm with its 95 % interval."""
    x = linear(0, 1, LEFT, RIGHT)
    marks, told_of = [], []
    for n, (name, arm) in enumerate(arms.items()):
        found, y = arm.quality[metric], 30 + n * ROW
        low, high = found.ci95
        told_of.append(f"{name} {found.mean:.2f}, from {low:.2f} to {high:.2f}")
        marks += [
            text(LEFT - 10, y + 4, name, "end"),
            line(x(low), y, x(high), y, f"interval {CLASSES[name]}"),
            f'<circle class="{CLASSES[name]}" cx="{x(found.mean):.1f}" cy="{y}" r="6"/>',
            *(
                f'<circle class="seed" cx="{x(seed):.1f}" cy="{y}" r="3"/>'
                for seed in (arm.seeds if len(arm.seeds) > 1 else ())
            ),
            text(x(found.mean), y - 10, f"{found.mean:.2f}", "middle"),
        ]
    height = 26 + len(arms) * ROW
    told = "; ".join(told_of)
    ticks = {x(t): f"{t:g}" for t in (0, 0.25, 0.5, 0.75, 1)}
    return drawing(height + 24, f"{title}: {told}", [*x_axis(ticks, height), *marks])


def latency(seconds: Mapping[Arm, Sequence[float]], arms: Mapping[Arm, ArmFigures]) -> Markup:
    """Each timed question as a dot, by arm, with lines at the median and the 95th percentile."""
    most = 1000 * max(max(values) for values in seconds.values())
    x = linear(0, most, LEFT, RIGHT)
    marks, told_of = [], []
    for n, (name, values) in enumerate(seconds.items()):
        y = 20 + n * ROW
        times = arms[name].latency_ms
        marks.append(text(LEFT - 10, y + 4, name, "end"))
        marks += [
            f'<circle class="dot {CLASSES[name]}" cx="{x(1000 * s):.1f}" cy="{y + (k % 5 - 2) * 2}"'
            ' r="3"/>'
            for k, s in enumerate(values)
        ]
        marks += [line(x(ms), y - 11, x(ms), y + 11, "mark") for ms in (times.p50, times.p95)]
        told_of.append(f"{name} median {times.p50:.0f}, 95th percentile {times.p95:.0f}")
    height = 20 + len(seconds) * ROW
    ticks = {x(t): f"{t:g}" for t in steps(most)}
    told = "; ".join(told_of)
    return drawing(height + 24, f"Latency in ms: {told}", [*x_axis(ticks, height), *marks])


def losses(training: Training) -> Markup:
    """The loss of every optimiser step, and that of validation where an epoch ends.

    There is at least one epoch.
    """
    done, epochs = training.steps, training.epochs
    stretch = max(1, math.ceil(len(done) / MOST_STEPS))
    runs = [done[n : n + stretch] for n in range(0, len(done), stretch)]
    learnt = [(float(run[-1].step), sum(s.loss for s in run) / len(run)) for run in runs]
    last = done[-1].step if done else epochs[-1].epoch
    each = last / epochs[-1].epoch
    learnt = learnt or [(e.epoch * each, e.train_loss) for e in epochs]
    held = [(e.epoch * each, e.eval_loss) for e in epochs if e.eval_loss is not None]
    values = [loss for _, loss in [*learnt, *held]]
    low, high = min(values), max(values)
    x = linear(0, max(last, 1), LEFT - 40, RIGHT - 80)
    y = linear(low, high if high > low else low + 1, 150, 20)
    ticks = [0, last] if last < 4 else [t for t in steps(last) if t == int(t)]
    marks = x_axis({x(t): f"{t:,.0f}" for t in ticks}, 160)
    marks += [text(LEFT - 50, y(v) + 4, f"{v:.2f}", "end") for v in sorted({low, high})]
    marks.append(path([(x(step), y(loss)) for step, loss in learnt], "tuned thin", "none"))
    ends = [curve[-1][1] for curve in (learnt, held) if curve]
    for place, words in zip(
        apart([y(loss) for loss in ends], 14), ("training", "validation"), strict=False
    ):
        marks.append(text(x(last) + 8, place + 4, words, "start"))
    if held:
        points = [(x(step), y(loss)) for step, loss in held]
        marks.append(path(points, "rag", "6 4"))
        marks += [f'<circle class="rag" cx="{a:.1f}" cy="{b:.1f}" r="4"/>' for a, b in points]
    told = (
        f"from {learnt[0][1]:.3f} at step {learnt[0][0]:.0f} to {learnt[-1][1]:.3f} at step {last}"
    )
    told += "".join(f"; validation {loss:.3f} at step {step:.0f}" for step, loss in held)
    return drawing(184, f"Loss a token in nats: training {told}", marks)


def learning(curve: LearningCurve, title: str) -> Markup:
    """A metric of each tuned arm against the records that it was tuned on, with intervals."""
    points = curve.points
    most = points[-1].records
    x, y = linear(0, most, LEFT - 40, RIGHT - 100), linear(0, 1, 150, 20)
    marks = x_axis({x(p.records): f"{p.records:,}" for p in points}, 160)
    marks += [text(LEFT - 50, y(v) + 4, f"{v:g}", "end") for v in (0, 0.5, 1)]
    ends = apart([y(points[-1].arms[arm].mean) for arm in curve.enough], 14)
    told_of = []
    for arm, end in zip(curve.enough, ends, strict=True):
        means = [(x(p.records), y(p.arms[arm].mean)) for p in points]
        for p in points:
            low, high = p.arms[arm].ci95
            at = x(p.records)
            marks.append(line(at, y(low), at, y(high), f"interval {CLASSES[arm]}"))
        marks.append(path(means, CLASSES[arm], DASHES[arm]))
        marks += _named(means[-1][0] + 2, end, arm)
        told_of += [f"{arm} {p.arms[arm].mean:.2f} with {p.records}" for p in points]
    return drawing(184, f"{title} by training records: {'; '.join(told_of)}", marks)


def cost(arms: Mapping[Arm, ArmFigures], needs: Needs) -> Markup:
    """Machine hours a month of each arm against queries a month, both logarithmic."""
    volumes = [10 ** (n / 4) for n in range(8, 29)]
    hours = {
        name: [monthly_seconds(name, arm.cost, v, needs.documents_change) / 3600 for v in volumes]
        for name, arm in arms.items()
    }
    low = math.floor(math.log10(min(min(h) for h in hours.values())))
    high = math.ceil(math.log10(max(max(h) for h in hours.values())))
    x, y = linear(2, 7, LEFT - 30, RIGHT - 100), linear(low, high, 190, 16)
    ticks = {
        x(n): words
        for n, words in ((2, "100"), (3, "1k"), (4, "10k"), (5, "100k"), (6, "1M"), (7, "10M"))
    }
    marks = x_axis(ticks, 200)
    marks += [text(LEFT - 38, y(n) + 4, f"{10.0**n:g}", "end") for n in range(low, high + 1)]
    if needs.queries_per_month:
        here = x(min(7.0, max(2.0, math.log10(needs.queries_per_month))))
        marks += [line(here, 16, here, 200, "mark"), text(here + 4, 14, "needs", "start")]
    ends = apart([y(math.log10(h[-1])) for h in hours.values()], 14)
    for (name, values), end in zip(hours.items(), ends, strict=True):
        points = [
            (x(math.log10(v)), y(math.log10(h))) for v, h in zip(volumes, values, strict=True)
        ]
        marks.append(path(points, CLASSES[name], DASHES[name]))
        marks += _named(points[-1][0], end, name)
    told = "; ".join(
        f"{name} {h[0]:.2g} at 100 queries, {h[-1]:.2g} at 10 million" for name, h in hours.items()
    )
    return drawing(224, f"Machine hours a month: {told}", marks)


def _named(x: float, y: float, arm: Arm) -> list[str]:
    """A piece of an arm's line and its name, beside the line's end."""
    piece = path([(x + 6, y), (x + 28, y)], CLASSES[arm], DASHES[arm])
    return [piece, text(x + 32, y + 4, arm, "start")]
