"""Several runs side by side: what differs in their recipes, and what differs in their figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ragtune.core.errors import RecipeError
from ragtune.core.files import read_json, read_jsonl
from ragtune.results.collect import score
from ragtune.results.metrics.answers import METRICS
from ragtune.results.statistics import compare as compare_scores
from ragtune.sources.records import Record


def compare(folders: Sequence[Path]) -> dict[str, Any]:
    """What differs between finished runs.

    ``recipe`` holds a line a field, ``arms`` the figures of each arm in each run, None where a run
    has no such arm. ``differences`` are paired, over the questions that all runs were asked, and
    corrected by Holm's method over the pairs of runs, for each arm and metric apart.

    Raises RecipeError for fewer than two runs, RunError for one that is not finished.
    """
    names = [str(folder) for folder in folders]
    if len(set(names)) < max(2, len(names)):
        raise RecipeError("compare: name two run folders or more, each once")
    figures = [read_json(folder / "results.json") for folder in folders]
    arms = list(dict.fromkeys(arm for one in figures for arm in one["arms"]))
    questions, answers = _common(folders, figures)
    return {
        "runs": names,
        "recipe": _changed([_flat(one["recipe"]["filled"]) for one in figures]),
        "questions": [one["questions"] for one in figures],
        "common_questions": len(questions),
        "arms": {
            arm: [_shown(one["arms"][arm]) if arm in one["arms"] else None for one in figures]
            for arm in arms
        },
        "recommended": [one["recommendation"]["arm"] for one in figures],
        "differences": _differences(names, figures, questions, answers) if questions else [],
    }


def show(found: Mapping[str, Any]) -> RenderableType:
    """The comparison for a terminal: runs as columns, told by letter."""
    letters = [chr(ord("A") + n) for n in range(len(found["runs"]))]
    names = dict(zip(found["runs"], letters, strict=True))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("", overflow="fold")
    for letter in letters:
        table.add_column(letter, justify="right", overflow="fold")
    for row in found["recipe"]:
        table.add_row(row["field"], *(Text(str(value)) for value in row["values"]))
    table.add_section()
    for arm, runs in found["arms"].items():
        table.add_row(f"{arm}: F1", *(_cell(run) for run in runs))
        times = ["-" if run is None else f"{run['p95_ms']:.0f}" for run in runs]
        table.add_row(f"{arm}: p95 ms", *times)
    table.add_row("fits best", *(arm or "none" for arm in found["recommended"]))
    notes = [
        *(f"{letter}: {name}" for name, letter in names.items()),
        *([] if found["recipe"] else ["the recipes do not differ"]),
        f"{found['common_questions']} questions were asked in all of them",
        *(
            f"{d['arm']}: token F1 of {names[d['left']]} less that of {names[d['right']]}: "
            f"{d['mean']:+.2f} ({d['ci95'][0]:+.2f} to {d['ci95'][1]:+.2f}), "
            + ("told apart" if d["different"] else "not distinguishable")
            for d in found["differences"]
            if d["metric"] == "token_f1"
        ),
    ]
    return Group(table, *map(Text, notes))


def _changed(recipes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The fields whose values are not the same in all; None where a recipe has no such field."""
    fields = dict.fromkeys(name for recipe in recipes for name in recipe)
    rows = [{"field": f, "values": [recipe.get(f) for recipe in recipes]} for f in fields]
    return [row for row in rows if any(v != row["values"][0] for v in row["values"])]


def _flat(tree: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """A filled recipe as dotted fields."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        found |= (
            _flat(value, f"{above}{name}.") if isinstance(value, dict) else {above + name: value}
        )
    return found


def _shown(arm: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{metric: arm["quality"][metric] for metric in METRICS},
        "p50_ms": arm["latency_ms"]["p50"],
        "p95_ms": arm["latency_ms"]["p95"],
        "tokens": arm["tokens"]["prompt_mean"] + arm["tokens"]["completion_mean"],
    }


def _cell(run: Mapping[str, Any] | None) -> str:
    if run is None:
        return "-"
    f1 = run["token_f1"]
    return f"{f1['mean']:.2f} ({f1['ci95'][0]:.2f}-{f1['ci95'][1]:.2f})"


def _common(
    folders: Sequence[Path], figures: Sequence[Any]
) -> tuple[list[Record], list[dict[str, dict[str, Any]]]]:
    """The questions that all runs were asked, and each run's answers to each: arm, then question.

    Questions are the same where their whole rows are, reference and gold document included.
    """
    asked = [
        {(q := Record(**row)).id: q for row in read_jsonl(folder / "data" / "test.jsonl")}
        for folder in folders
    ]
    ids = [n for n in asked[0] if all(n in other for other in asked)]
    answers = [
        {
            arm: {a["question"]: a for a in read_jsonl(folder / "answers" / f"{arm}.jsonl")}
            for arm in one["arms"]
        }
        for folder, one in zip(folders, figures, strict=True)
    ]
    return [asked[0][n] for n in ids], answers


def _differences(
    names: Sequence[str],
    figures: Sequence[Any],
    questions: Sequence[Record],
    answers: Sequence[Mapping[str, Mapping[str, Any]]],
) -> list[dict[str, Any]]:
    filled = figures[0]["recipe"]["filled"]
    refusal, seed = filled["study"]["refusal"], filled["seed"]
    found = []
    for arm in dict.fromkeys(arm for one in figures for arm in one["arms"]):
        scores = {
            name: score(questions, [given[arm][q.id] for q in questions], refusal)
            for name, given in zip(names, answers, strict=True)
            if arm in given
        }
        for metric in METRICS:
            pairs = compare_scores({name: s[metric] for name, s in scores.items()}, seed)
            found += [{"arm": arm, "metric": metric, **pair.to_json()} for pair in pairs]
    return found
