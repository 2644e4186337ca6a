"""The arms side by side for the terminal: what a person decides by first, all else on request."""

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ragtune.results import search_table, wording
from ragtune.results.beside import beside, month_title
from ragtune.results.metrics.registry import title
from ragtune.results.notes import notes
from ragtune.results.parts import Agreement
from ragtune.results.schema import ArmFigures, Results
from ragtune.results.summary import State, summarise
from ragtune.results.wording import brief

STYLES: dict[State, str] = {"decided": "bold green", "undecided": "yellow", "forbidden": "bold red"}
NOTES = {"warning": "yellow", "fault": "red"}
"""Kinds of notes that are printed without being asked for, unless the verdict says it already."""
DASH = "-"


def render(results: Results, *, details: bool = False) -> RenderableType:
    """The table, what limits trust in it, and last the verdict in three lines.

    With ``details`` every other figure and the reasons for the verdict stand between.
    """
    told = summarise(results)
    between: list[RenderableType] = [Text(line) for line in _tuning(results)]
    if results.full_size is not None:
        between += [_beside(results), *(Text(line) for line in wording.at_full_size(results))]
    if details:
        between += [_quality(results), _times(results)]
        between += [agreement(results.agreement)] if results.agreement else []
        between += search_table.terminal(results.search)
        between += [Text(line) for line in lines(results)]
    else:
        verdict = " ".join(told.lines).lower()
        between += [
            Text(f"{note}", style=NOTES[note.kind])
            for note in notes(results)
            if note.kind in NOTES and note.text.lower() not in verdict
        ]
        between.append(Text("every figure, cause and reason: --details", style="dim"))
    lines_last = [Text(line, style=STYLES[told.state]) for line in told.lines]
    return Group(_first(results), *between, Text(""), *lines_last)


def _beside(results: Results) -> Table:
    """Here and at full size."""
    asked = f"of {results.questions}"
    columns = [
        f"right\nhere {asked}",
        "right\nthere",
        "answer s\nhere",
        "answer s\nthere",
        "failed\nthere",
        month_title(results).replace(", ", "\n"),
    ]
    return _table(results, columns, [row.cells for row in beside(results)])


def _tuning(results: Results) -> list[str]:
    """Whether the adapters were trained at all, and how far their seeds are apart."""
    trained = wording.recall(results.recall)
    return [line for line in (trained and f"trained: {trained}", wording.spread(results)) if line]


def _first(results: Results) -> Table:
    """Right of N, cost, latency, freshness."""
    costs = [arm.cost for arm in results.arms.values()]
    priced = all(cost.price_per_1000 is not None for cost in costs)
    metered = all(cost.kwh_per_1000 is not None for cost in costs)
    columns = [
        f"right\nof {results.questions}",
        "95 %",
        "once\ns",
        "1,000\nans. s" if priced and metered else "1,000\nanswers s",
        *["1,000\nprice"] * priced,
        *["1,000\nWh"] * metered,
        "answer\ns",
        "slowest\n5 % s",
        "new\nfact s",
    ]
    rows = []
    for arm in results.arms.values():
        low, high = arm.right.ci95
        times, fresh = arm.latency_ms, arm.freshness_seconds
        rows.append(
            [
                f"{wording.right(arm, results.questions)}",
                f"{low * results.questions:.0f}-{high * results.questions:.0f}",
                *_cost(arm, priced=priced, metered=metered),
                brief(times.p50 / 1000),
                brief(times.p95 / 1000),
                DASH if fresh is None else brief(fresh),
            ]
        )
    recipe = results.recipe
    name = f"{recipe.name}-{recipe.identity[:8]}: {results.questions} held-out questions"
    return _table(results, columns, rows, name)


def _cost(arm: ArmFigures, *, priced: bool, metered: bool) -> list[str]:
    cost = arm.cost
    return [
        brief(cost.tuning_seconds + cost.indexing_seconds),
        brief(cost.seconds_per_1000),
        *([f"{cost.price_per_1000:.2g}"] if priced and cost.price_per_1000 is not None else []),
        *([f"{1000 * cost.kwh_per_1000:.3g}"] if metered and cost.kwh_per_1000 is not None else []),
    ]


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
    return _table(results, columns, rows)


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
                DASH if rate is None else f"{rate:.3g}",
                f"{arm.tokens.prompt_mean:.0f}+{arm.tokens.completion_mean:.0f}",
            ]
        )
    return _table(results, ["p50/p95 ms", "find+read+write", "answers/s", "tokens"], rows)


def agreement(agreed: Agreement) -> RenderableType:
    """Each judge against a person's marks."""
    found = _plain("judge")
    for column in ("answers", "agrees", "kappa", "95 %"):
        found.add_column(column, justify="right", no_wrap=True)
    for judge, how in agreed.by.items():
        kappa = how.kappa
        found.add_row(
            wording.judge(judge),
            f"{how.answers}",
            f"{100 * how.share.mean:.0f} %",
            DASH if kappa is None else f"{kappa.mean:.2f}",
            DASH if kappa is None else "{:.2f}-{:.2f}".format(*kappa.ci95),
        )
    return Group(Text(wording.marked(agreed)), found)


def _table(
    results: Results, columns: Sequence[str], rows: Sequence[Sequence[str]], name: str | None = None
) -> Table:
    """A row an arm, the recommended one in green."""
    table = _plain("arm", name)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True, vertical="bottom")
    for arm, row in zip(results.arms, rows, strict=True):
        table.add_row(arm, *row, style="green" if arm == results.recommendation.arm else "")
    return table


def _plain(first: str, name: str | None = None) -> Table:
    table = Table(
        title=name,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column(first, no_wrap=True, vertical="bottom")
    return table


def lines(results: Results) -> list[str]:
    """What the tables have no column for."""
    shows = [wording.SHOWS[arm] for arm in results.arms if arm in wording.SHOWS]
    found = [
        *_star(results),
        *shows,
        *map(str, notes(results)),
        *wording.failures(results.failures),
    ]
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
