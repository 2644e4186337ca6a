"""The search for settings of tuning, in rows and sentences for the terminal and the page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ragtune.recipe.arms import Adapter
from ragtune.results.metrics.registry import title
from ragtune.results.search import SearchFigures, SearchSettings

Searches = Mapping[Adapter, SearchFigures]
DASH = "-"
HELD_OUT = {
    "document": "about other documents than those trained on",
    "question": "other questions about the same documents",
    "wording": "in other words for facts that were trained on",
}


@dataclass(frozen=True)
class Row:
    """One candidate: its score on each rung, as text, its last loss and its seconds in all."""

    settings: SearchSettings
    scores: tuple[str, ...]
    loss: str
    seconds: float
    own: bool
    taken: bool

    @property
    def name(self) -> str:
        """What it is marked with."""
        return ", ".join(["the recipe's own"] * self.own + ["taken"] * self.taken)


def rows(found: SearchFigures) -> list[Row]:
    """A row a candidate that was begun, in the order of their first trials."""
    made = []
    for settings in {trial.candidate: trial.set for trial in found.trials}.values():
        of = [trial for trial in found.trials if trial.set == settings]
        last = next((t for t in reversed(of) if t.score is not None), None)
        scores = []
        for number in range(len(found.rungs)):
            trial = found.on(number, settings)
            begun = any(t.rung == number for t in of)
            scores.append(
                f"{trial.score:.2f}" if trial else "not finished" if begun else DASH,
            )
        made.append(
            Row(
                settings,
                tuple(scores),
                DASH if last is None or last.loss is None else f"{last.loss:.3f}",
                sum(trial.seconds for trial in of),
                own=settings == found.own,
                taken=settings == found.winner,
            )
        )
    return made


def heads(found: SearchFigures) -> list[str]:
    """The heads of the scores' columns."""
    return [f"{title(found.metric)} on {rung.rows:,} rows" for rung in found.rungs]


def budget(searches: Searches) -> str:
    """How the settings were searched, and that each adapter had the same time."""
    first = next(iter(searches.values()))
    seconds = {found.budget_seconds for found in searches.values()}
    each = "each adapter had the same budget" if len(seconds) == 1 else "the budgets differ"
    if len(searches) == 1:
        each = "there is one adapter"
    spent = ", ".join(
        f"{name} {found.seconds:.0f} of {found.budget_seconds:.0f} s"
        for name, found in searches.items()
    )
    return (
        f"settings of tuning were searched on the training records alone: {first.records:,} to "
        f"train on, {first.development:,} asked as development questions, "
        f"{HELD_OUT[first.held_out]}; {each}: {spent}"
    )


def taken(name: Adapter, found: SearchFigures) -> str:
    """Which settings were taken for an adapter, and how they did."""
    if found.decided is None:
        return f"{name}: no trial was finished, so it was tuned with the recipe's own settings"
    made = sum(trial.score is not None for trial in found.trials)
    said = (
        f"{name}: {found.tried} of {found.candidates} settings in {made} "
        f"trial{'s' * (made != 1)}; taken: {values(found.winner)}"
    )
    best, own = (found.on(found.decided, s) for s in (found.winner, found.own))
    if best is not None and best.score is not None:
        on = f"on {best.rows:,} rows"
        said += f", {title(found.metric)} {best.score:.2f} {on}"
        if found.winner == found.own:
            said += ", the recipe's own"
        elif own is not None and own.score is not None:
            said += f" against {own.score:.2f} with the recipe's own"
    return said


def values(settings: SearchSettings) -> str:
    """Settings in words."""
    epochs = f"{settings.epoch} epoch{'s' * (settings.epoch != 1)}"
    modules = settings.target_modules.replace(",", ", ")
    return (
        f"learning rate {settings.learning_rate:g}, {epochs}, rank {settings.lora_r} on {modules}"
    )


def cautions(searches: Searches) -> Iterator[str]:
    """What makes the searches less than they should be, or unequal."""
    todo = "raise tune.search.minutes"
    for name, found in searches.items():
        if found.decided is None:
            yield f"the search for {name} finished no trial in {found.budget_seconds:.0f} s; {todo}"
    if len({found.budget_seconds for found in searches.values()}) > 1:
        yield "the searches for the adapters had different budgets; run the study again"
    decided = {name: found for name, found in searches.items() if found.decided is not None}
    shares = {name: found.rungs[found.decided or 0].share for name, found in decided.items()}
    if len(set(shares.values())) > 1:
        told = ", ".join(f"{name} on {share:.0%}" for name, share in shares.items())
        yield (
            "the searches for the adapters had the same time but did not get equally far: they "
            f"were decided {told} of the rows; {todo}"
        )


def terminal(searches: Searches) -> list[RenderableType]:
    """What was tried for each adapter; nothing where nothing was searched."""
    if not searches:
        return []
    return [
        Text(budget(searches)),
        *(Group(Text(taken(name, found)), _table(found)) for name, found in searches.items()),
    ]


def _table(found: SearchFigures) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in ("rate", "epochs", "rank", *(f"{r.rows:,}\nrows" for r in found.rungs)):
        table.add_column(name, justify="right", no_wrap=True, vertical="bottom")
    for name in ("loss", "s"):
        table.add_column(name, justify="right", no_wrap=True, vertical="bottom")
    table.add_column("targets", vertical="bottom")
    for row in rows(found):
        of = row.settings
        table.add_row(
            *(f"{of.learning_rate:g}", f"{of.epoch}", f"{of.lora_r}"),
            *("cut" if score == "not finished" else score for score in row.scores),
            *(row.loss, f"{row.seconds:.0f}", of.target_modules.replace("_proj", "")),
            style="green" if row.taken else "",
        )
    return table
