"""A sweep: one recipe over several values of its fields, judged on a part of the training records.

The training records are split once more, by document: trials train on one part and are asked the
other, the development questions. The recipe's own test questions are in no trial; the winner alone
is measured on them, as a run like any other. Each trial is a run folder, so what was interrupted
goes on, and what trials share (the index, where only tuning differs) is made once.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ragtune.core.errors import RecipeError, RecordsError
from ragtune.core.files import write_json, write_jsonl
from ragtune.core.moves import relative
from ragtune.core.progress import Watcher
from ragtune.recipe import file as recipe_file
from ragtune.recipe import notation
from ragtune.recipe.schema import Recipe
from ragtune.results.metrics.registry import title
from ragtune.results.parts import Mean
from ragtune.results.schema import ArmFigures, Results
from ragtune.runs import defaults
from ragtune.runs.materials import prepare_records
from ragtune.runs.pipeline import Pipeline
from ragtune.sources.split import split

ALLOWED = ("model.", "tune.", "rag.", "template.", "records.with_passages")
"""What may be swept: fields that make answers better or worse, not what they are judged by."""

Values = dict[str, Any]


def grid(overs: Sequence[str]) -> dict[str, list[Any]]:
    """Fields and their values from ``field=value,value``; the values are read as a YAML list.

    Raises RecipeError for what is not written so, and for fields that may not be swept.
    """
    found: dict[str, list[Any]] = {}
    for over in overs:
        field, equals, text = over.partition("=")
        try:
            values = notation.read(f"[{text}]")[1] if equals else []
        except notation.NotationError:
            values = []
        if not values:
            raise RecipeError(f"--over {over}: write it as field=value,value; e.g. rag.top_k=1,4")
        if not field.startswith(ALLOWED):
            raise RecipeError(
                f"--over {over}: {field} is not swept; allowed: fields of model, tune, rag and "
                "template, and records.with_passages"
            )
        if field in found:
            raise RecipeError(f"--over {over}: {field} is named twice; put its values together")
        if any(isinstance(value, dict | list) for value in values):
            raise RecipeError(f"--over {over}: name single values, as in rag.top_k=1,4")
        found[field] = list(dict.fromkeys(values))
    if not found:
        raise RecipeError("--over: name at least one field, e.g. --over rag.top_k=1,4")
    return found


class Sweep:
    """The trials of one recipe file, kept in a folder beside its runs."""

    def __init__(
        self, file: Path, overrides: Sequence[str], runs: Path, watcher: Watcher, arm: str = ""
    ) -> None:
        """Bind a sweep.

        ``arm`` is the one whose token F1 counts; empty: in each trial the best.

        Raises RecipeError for a recipe with faults, and an arm that it does not run.
        """
        self.file, self.overrides, self.runs, self.watcher = file, tuple(overrides), runs, watcher
        self.recipe = recipe_file.load(file, self.overrides)
        self.arm, self.folder = arm, runs / f"{self.recipe.run_name}-sweep"
        if arm and arm not in self.recipe.arms:
            allowed = ", ".join(self.recipe.arms)
            raise RecipeError(f"--arm {arm}: the recipe does not run it; allowed: {allowed}")

    def candidates(self, choices: dict[str, list[Any]]) -> list[Recipe]:
        """The recipe with each combination of the values, on its own data, as it is written.

        Raises RecipeError for values that a field does not allow.
        """
        sets = (dict(zip(choices, point, strict=True)) for point in _points(choices))
        return [recipe_file.load(self.file, (*self.overrides, *_overrides(one))) for one in sets]

    def run(self, choices: dict[str, list[Any]], trials: int | None = None) -> dict[str, Any]:
        """Make every trial of the grid, or ``trials`` of them that Optuna chooses; then the winner.

        Raises RagtuneError as a run does; RecipeError where Optuna is needed and missing.
        """
        points = _points(choices)
        recipes = {p: self._trial(dict(zip(choices, p, strict=True))) for p in points}
        self._write_split()
        done: list[dict[str, Any]] = []

        def measure(point: tuple[Any, ...]) -> float:
            number = f"trial {len(done) + 1} of {trials or len(points)}"
            done.append(
                self._measure(recipes[point], dict(zip(choices, point, strict=True)), number)
            )
            return float(done[-1]["mean"])

        if trials is None:
            for point in points:
                measure(point)
        else:
            search(choices, trials, self.recipe.seed, measure)
        best = max(done, key=lambda trial: float(trial["mean"]))
        self.watcher.say(f"winner: {_text(best['set'])}; now measured on the test questions")
        winner = self._with(best["set"])
        folder = self.runs / winner.run_name
        results = Pipeline(winner, folder, self.watcher).execute()
        found = {
            "metric": results.deciding.metric,
            "trials": done,
            "best": best["set"],
            "run": str(folder),
            "test": {arm: _decides(f, results).to_json() for arm, f in results.arms.items()},
        }
        write_json(self.folder / "sweep.json", found)
        return found

    def _with(self, values: Values) -> Recipe:
        """The recipe with these values; what it leaves open is filled to go with them."""
        return defaults.load(self.file, (*self.overrides, *_overrides(values)))

    def _trial(self, values: Values) -> Recipe:
        """The same, but on the training records' two parts."""
        at = relative(self.folder, self.file.parent)
        data: dict[str, Any] = {
            "records.source": f"{at}/train.jsonl",
            "records.revision": None,
            "records.fields": {},
            "records.encoding": None,
            "study.questions": f"{at}/development.jsonl",
        }
        return self._with(values).with_fields(data)

    def _write_split(self) -> None:
        spec = self.recipe.records
        records = prepare_records(defaults.fill(self.recipe)).train
        try:
            train, held = split(records, spec.test_fraction, self.recipe.seed, spec.split)
        except RecordsError as error:
            raise RecipeError(f"sweep: no development questions: {error}") from None
        for name, rows in (("train", train), ("development", held)):
            write_jsonl(self.folder / f"{name}.jsonl", [row.to_json() for row in rows])

    def _measure(self, recipe: Recipe, values: Values, number: str) -> dict[str, Any]:
        folder = self.folder / recipe.run_name
        self.watcher.say(f"{number}: {_text(values)}")
        results = Pipeline(recipe, folder, self.watcher).execute()
        quality = {str(arm): _decides(f, results) for arm, f in results.arms.items()}
        arm = self.arm or max(quality, key=lambda name: quality[name].mean)
        return {"set": values, "run": str(folder), "arm": arm, **quality[arm].to_json()}


def _decides(arm: ArmFigures, results: Results) -> Mean:
    """An arm's figure by the metric that decides."""
    return arm.quality[results.deciding.metric]


def search(
    choices: dict[str, list[Any]],
    trials: int,
    seed: int,
    measure: Callable[[tuple[Any, ...]], float],
) -> None:
    """Measure ``trials`` points of the grid, chosen by Optuna's TPE sampler; none of them twice.

    Seeded and told the same scores it asks for the same points, so it needs no memory of its own.

    Raises RecipeError where Optuna is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise RecipeError('--trials needs Optuna: pip install "ragtune[sweep]"') from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=4)
    )
    places = {field: list(range(len(values))) for field, values in choices.items()}
    known: dict[tuple[Any, ...], float] = {}
    while len(known) < min(trials, len(_points(choices))):
        trial = study.ask()
        picked = [trial.suggest_categorical(field, n) for field, n in places.items()]
        point = tuple(choices[field][n] for field, n in zip(choices, picked, strict=True))
        if point not in known:
            known[point] = measure(point)
        study.tell(trial, known[point])


def show(found: dict[str, Any]) -> RenderableType:
    """The trials for a terminal, the best first, and the winner on the test questions."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in (*found["best"], "arm", f"{title(found['metric'])} (development)", "95 %"):
        table.add_column(name, justify="left" if name == "arm" else "right")
    for trial in sorted(found["trials"], key=lambda t: -float(t["mean"])):
        low, high = trial["ci95"]
        values = [Text(str(value)) for value in trial["set"].values()]
        table.add_row(*values, trial["arm"], f"{trial['mean']:.2f}", f"{low:.2f}-{high:.2f}")
    test = ", ".join(f"{arm} {f1['mean']:.2f}" for arm, f1 in found["test"].items())
    return Group(
        table,
        Text(f"{_text(found['best'])} on the test questions: {title(found['metric'])} {test}"),
    )


def _points(choices: dict[str, list[Any]]) -> list[tuple[Any, ...]]:
    return list(itertools.product(*choices.values()))


def _overrides(values: Values) -> Iterator[str]:
    return (f"{field}={json.dumps(value)}" for field, value in values.items())


def _text(values: Values) -> str:
    return ", ".join(f"{field}={value}" for field, value in values.items())
