"""Several runs side by side: what differs in their recipes, and what differs in their figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ragtune.core.errors import RecipeError
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Arm
from ragtune.results import repeats, rows, statistics
from ragtune.results.metrics.registry import title
from ragtune.results.parts import Mean, Paired, Part
from ragtune.results.rows import Answered
from ragtune.results.schema import ArmFigures, Results
from ragtune.results.scores import judged, score
from ragtune.sources.records import Record

Given = Mapping[Arm, Sequence[Mapping[str, Answered]]]
"""A run's answers, by arm, seed and the question's id."""


class FieldValues(Part):
    """A field of the recipes and its value in each run; None where a recipe has no such field."""

    field: str
    values: list[JsonValue]


class ArmShown(Part):
    """The figures of an arm in a run: quality by metric, milliseconds, tokens a question."""

    quality: dict[str, Mean]
    p50_ms: float
    p95_ms: float
    tokens: float


class RunDifference(Paired):
    """Two runs, by one arm's answers to the questions that all runs were asked."""

    arm: Arm
    metric: str


class Comparison(Part):
    """What differs between finished runs, in the order in which they were named.

    ``metric`` is the one that decides in the first run that decides by one which all have.
    ``arms`` holds the figures of each arm in each run, None where a run has no such arm.
    ``differences`` are paired, over the questions that all runs were asked, and corrected by Holm's
    method over the pairs of runs, for each arm and metric apart.
    """

    runs: list[str]
    metric: str
    recipe: list[FieldValues]
    questions: list[int]
    common_questions: int
    arms: dict[Arm, list[ArmShown | None]]
    recommended: list[Arm | None]
    differences: list[RunDifference]


def compare(folders: Sequence[Path]) -> Comparison:
    """What differs between finished runs.

    Raises RecipeError for fewer than two runs, RunError for one that is not finished or was made
    by another version.
    """
    names = [str(folder) for folder in folders]
    if len(set(names)) < max(2, len(names)):
        raise RecipeError("compare: name two run folders or more, each once")
    opened = [RunFolder(folder) for folder in folders]
    results = [Results.load(folder.results) for folder in opened]
    arms = list(dict.fromkeys(arm for one in results for arm in one.arms))
    questions = _common(opened)
    answers = [_answers(folder, one) for folder, one in zip(opened, results, strict=True)]
    return Comparison(
        runs=names,
        metric=_metric(results),
        recipe=_changed([_flat(one.recipe.filled.filled) for one in results]),
        questions=[one.questions for one in results],
        common_questions=len(questions),
        arms={
            arm: [_shown(one.arms[arm]) if arm in one.arms else None for one in results]
            for arm in arms
        },
        recommended=[one.recommendation.arm for one in results],
        differences=_differences(names, results[0], arms, questions, answers) if questions else [],
    )


def show(found: Comparison) -> RenderableType:
    """The comparison for a terminal: runs as columns, told by letter."""
    letters = [chr(ord("A") + n) for n in range(len(found.runs))]
    names = dict(zip(found.runs, letters, strict=True))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("", overflow="fold")
    for letter in letters:
        table.add_column(letter, justify="right", overflow="fold")
    for row in found.recipe:
        table.add_row(row.field, *(Text(str(value)) for value in row.values))
    table.add_section()
    for arm, runs in found.arms.items():
        table.add_row(f"{arm}: {title(found.metric)}", *(_cell(run, found.metric) for run in runs))
        times = ["-" if run is None else f"{run.p95_ms:.0f}" for run in runs]
        table.add_row(f"{arm}: p95 ms", *times)
    table.add_row("fits best", *(arm or "none" for arm in found.recommended))
    notes = [
        *(f"{letter}: {name}" for name, letter in names.items()),
        *([] if found.recipe else ["the recipes do not differ"]),
        f"{found.common_questions} questions were asked in all of them",
        *(
            f"{d.arm}: {title(found.metric)} of {names[d.left]} less that of {names[d.right]}: "
            f"{d.mean:+.2f} ({d.ci95[0]:+.2f} to {d.ci95[1]:+.2f}), "
            f"{'' if d.different else 'not '}significantly different"
            for d in found.differences
            if d.metric == found.metric
        ),
    ]
    return Group(table, *map(Text, notes))


def _changed(recipes: Sequence[Mapping[str, Any]]) -> list[FieldValues]:
    """The fields whose values are not the same in all."""
    fields = dict.fromkeys(name for recipe in recipes for name in recipe)
    found = {f: [recipe.get(f) for recipe in recipes] for f in fields}
    return [
        FieldValues(field=field, values=values)
        for field, values in found.items()
        if any(value != values[0] for value in values)
    ]


def _flat(tree: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """A filled recipe as dotted fields."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        found |= (
            _flat(value, f"{above}{name}.") if isinstance(value, dict) else {above + name: value}
        )
    return found


def _shown(arm: ArmFigures) -> ArmShown:
    return ArmShown(
        quality=arm.quality,
        p50_ms=arm.latency_ms.p50,
        p95_ms=arm.latency_ms.p95,
        tokens=arm.tokens.prompt_mean + arm.tokens.completion_mean,
    )


def _metric(results: Sequence[Results]) -> str:
    """The first run's deciding metric that every run has; the first one's where none is."""
    every = [one.deciding.metric for one in results]
    arms = [arm for one in results for arm in one.arms.values()]
    return next((m for m in every if all(m in arm.quality for arm in arms)), every[0])


def _cell(run: ArmShown | None, metric: str) -> str:
    found = run.quality.get(metric) if run else None
    if found is None:
        return "-"
    return "{:.2f} ({:.2f}-{:.2f})".format(found.mean, *found.ci95)


def _common(folders: Sequence[RunFolder]) -> list[Record]:
    """The questions that all runs were asked.

    Questions are the same where their whole rows are, reference and gold document included.
    """
    asked = [{q.id: q for q in rows.questions(folder)} for folder in folders]
    return [q for name, q in asked[0].items() if all(name in other for other in asked)]


def _answers(folder: RunFolder, results: Results) -> Given:
    filled = results.recipe.filled
    seeds = filled.study.seeds if filled.adapters else 1
    return {
        arm: [
            {answer.question: answer for answer in given}
            for given in repeats.every_seed(folder, arm, seeds)
        ]
        for arm in results.arms
    }


def _differences(
    names: Sequence[str],
    first: Results,
    arms: Sequence[Arm],
    questions: Sequence[Record],
    answers: Sequence[Given],
) -> list[RunDifference]:
    """Each pair of runs, arm by arm and metric by metric, with the first run's phrases and seed."""
    recipe, found = first.recipe.filled, []
    refusals = recipe.study.all_refusals
    for arm in arms:
        scores = {
            name: repeats.together(
                [
                    score(judged(questions, [of[q.id] for q in questions], refusals))
                    for of in given[arm]
                ]
            )
            for name, given in zip(names, answers, strict=True)
            if arm in given
        }
        for metric in next(iter(scores.values())):
            pairs = statistics.compare({name: s[metric] for name, s in scores.items()}, recipe.seed)
            found += [RunDifference(arm=arm, metric=metric, **dict(pair)) for pair in pairs]
    return found
