"""The arms side by side for the terminal."""

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ragtune.results import wording
from ragtune.results.metrics.registry import title
from ragtune.results.notes import notes
from ragtune.results.schema import ArmFigures, Results
from ragtune.results.wording import brief


def render(results: Results) -> RenderableType:
    """Quality, time and cost of each arm, what has no column, and the verdict, a line each."""
    tables = (_quality(results), _times(results), _costs(results))
    return Group(*tables, *(Text(line) for line in lines(results)))


def _quality(results: Results) -> Table:
    """Every metric, the deciding one first and with its interval."""
    deciding = results.recommendation.metric
    metrics = [name for name in _metrics(results) if name != deciding]
    refusals = results.unanswerable > 0
    columns = [_broken(deciding), "95 %", *map(_broken, metrics), *["refused*"] * refusals]
    rows = []
    for arm in results.arms.values():
        decides = arm.quality[deciding]
        rightly = arm.refusal.unanswerable_refused
        rows.append(
            [
                f"{decides.mean:.2f}",
                "{:.2f}-{:.2f}".format(*decides.ci95),
                *(f"{arm.quality[name].mean:.2f}" for name in metrics),
                *([f"{rightly.mean:.2f}"] if refusals and rightly else []),
            ]
        )
    recipe = results.recipe
    name = f"{recipe.name}-{recipe.identity[:8]}: {results.questions} held-out questions"
    return _table(results, columns, rows, name)


_REPORT_ONLY = ("recall", "numeric_error", "accuracy")
"""Metrics that the terminal has no room for."""


def _metrics(results: Results) -> list[str]:
    return [n for n in next(iter(results.arms.values())).quality if n not in _REPORT_ONLY]


def _broken(metric: str) -> str:
    """A metric's title, a word a line, so that its column is narrow."""
    return title(metric).replace(" ", "\n")


def _times(results: Results) -> Table:
    """What each arm takes for a question."""
    rows = []
    for arm in results.arms.values():
        times, rate = arm.latency_ms, arm.throughput.answers_per_second
        parts = (times.retrieval_p50, times.prefill_p50, times.decode_p50)
        rows.append(
            [
                f"{times.p50:.0f}/{times.p95:.0f}",
                "+".join(f"{part:.0f}" for part in parts),
                "-" if rate is None else f"{rate:.3g}",
                f"{arm.tokens.prompt_mean:.0f}+{arm.tokens.completion_mean:.0f}",
            ]
        )
    return _table(results, ["p50/p95 ms", "find+read+write", "answers/s", "tokens"], rows)


def _costs(results: Results) -> Table:
    """What each arm takes once, for many queries, and until it follows its documents."""
    needs = results.recipe.filled.needs
    priced, metered = needs.price_per_hour is not None, needs.watts is not None
    columns = ["once s", "s/1000", *["price"] * priced, *["Wh"] * metered, "fresh s"]
    rows = [_cost(arm) for arm in results.arms.values()]
    return _table(results, columns, rows)


def _cost(arm: ArmFigures) -> list[str]:
    cost, fresh = arm.cost, arm.freshness_seconds
    return [
        brief(cost.tuning_seconds + cost.indexing_seconds),
        brief(cost.seconds_per_1000),
        *([] if cost.price_per_1000 is None else [f"{cost.price_per_1000:.2g}"]),
        *([] if cost.kwh_per_1000 is None else [f"{1000 * cost.kwh_per_1000:.3g}"]),
        "-" if fresh is None else brief(fresh),
    ]


def _table(
    results: Results, columns: Sequence[str], rows: Sequence[Sequence[str]], name: str | None = None
) -> Table:
    """A row an arm, the recommended one in green."""
    table = Table(
        title=name,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("arm", no_wrap=True, vertical="bottom")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True, vertical="bottom")
    for arm, row in zip(results.arms, rows, strict=True):
        table.add_row(arm, *row, style="green" if arm == results.recommendation.arm else "")
    return table


def lines(results: Results) -> list[str]:
    """What the tables have no column for."""
    found = [*_star(results), *map(str, notes(results)), *wording.failures(results.failures)]
    if line := wording.break_even(results.break_even):
        found.append(line)
    return found + wording.verdict(results.recommendation)


def _star(results: Results) -> list[str]:
    """What the table's asterisk means."""
    unanswerable = results.unanswerable
    if not unanswerable:
        return []
    return [
        f"* share of the {unanswerable} unanswerable questions that were refused; quality is over "
        f"the other {results.questions - unanswerable}"
    ]
