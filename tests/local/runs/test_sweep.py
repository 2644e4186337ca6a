import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ragtune.core.errors import RecipeError
from ragtune.core.progress import Silent
from ragtune.recipe.file import load
from ragtune.runs import sweep as sweeping
from ragtune.runs.materials import prepare_records

SMALL = ("study.arms=[base,rag]", "records.with_passages=0", "study.latency_questions=1")


class Listening(Silent):
    """Keeps what was said."""

    def __init__(self) -> None:
        self.lines = list[str]()

    def say(self, line: str) -> None:
        self.lines.append(line)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_trials_see_no_test_question_and_the_winner_is_measured_on_them(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    path, runs = project(), tmp_path / "runs"
    watcher = Listening()
    sweep = sweeping.Sweep(path, SMALL, runs, watcher)
    found = sweep.run(sweeping.grid(["rag.top_k=1,2"]))
    assert [t["set"] for t in found["trials"]] == [{"rag.top_k": 1}, {"rag.top_k": 2}]
    kept = prepare_records(load(path, SMALL))
    held = {r.instruction for r in kept.test}
    for trial in found["trials"]:
        for name in ("train", "test"):
            asked = {
                row["instruction"] for row in rows(Path(trial["run"]) / "data" / f"{name}.jsonl")
            }
            assert asked
            assert not asked & held
    best = max(found["trials"], key=lambda t: float(t["mean"]))
    assert found["best"] == best["set"]
    asked = {row["instruction"] for row in rows(Path(found["run"]) / "data" / "test.jsonl")}
    assert asked == held
    assert any("index: copied" in line for line in watcher.lines)

    again = Listening()
    assert sweeping.Sweep(path, SMALL, runs, again).run(sweeping.grid(["rag.top_k=1,2"])) == found
    assert not [line for line in again.lines if ": made, " in line]


def test_a_grid_is_read_as_yaml_lists() -> None:
    overs = ["tune.learning_rate=0.1,1e-3", "tune.target_modules='q_proj,v_proj',q_proj"]
    assert sweeping.grid(overs) == {
        "tune.learning_rate": [0.1, "1e-3"],
        "tune.target_modules": ["q_proj,v_proj", "q_proj"],
    }


@pytest.mark.parametrize(
    ("over", "said"),
    [
        (["rag.top_k"], "field=value,value"),
        (["study.questions=a.jsonl"], "not swept; allowed"),
        (["rag.top_k=1", "rag.top_k=2"], "named twice"),
        (["tune.local={layout: rows},{layout: packed}"], "name single values"),
        (["tune.target_modules=[q_proj],q_proj"], "name single values"),
        ([], "at least one field"),
    ],
)
def test_a_grid_that_is_none_is_refused_by_name(over: list[str], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        sweeping.grid(over)


def test_a_value_named_twice_is_tried_once() -> None:
    assert sweeping.grid(["rag.top_k=4,1,4,1"]) == {"rag.top_k": [4, 1]}


def test_candidates_are_the_recipe_with_each_combination_on_its_own_data(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    sweep = sweeping.Sweep(project(), SMALL, tmp_path / "runs", Silent())
    found = sweep.candidates(sweeping.grid(["rag.top_k=1,2", "rag.search=dense,hybrid"]))
    tried = [(recipe.rag.top_k, recipe.rag.search) for recipe in found]
    assert tried == [(1, "dense"), (1, "hybrid"), (2, "dense"), (2, "hybrid")]
    assert {recipe.records.source for recipe in found} == {"records.jsonl"}
    with pytest.raises(RecipeError, match=r"rag\.top_k"):
        sweep.candidates(sweeping.grid(["rag.top_k=1,0"]))


def test_swept_values_in_brackets_are_shown_as_they_are() -> None:
    values = ["[/INST] {instruction}", "[b]x"]
    trials = [
        {"set": {"template.prompt": v}, "arm": "rag", "mean": 0.5, "ci95": [0.4, 0.6]}
        for v in values
    ]
    text = io.StringIO()
    shown = sweeping.show(
        {"metric": "right", "trials": trials, "best": trials[0]["set"], "test": {}}
    )
    Console(width=100, file=text).print(shown)
    assert all(v in text.getvalue() for v in values)


def test_faults_of_a_trial_are_found_before_any_is_run(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    sweep = sweeping.Sweep(project(), SMALL, tmp_path / "runs", Silent())
    with pytest.raises(RecipeError, match=r"rag\.top_k"):
        sweep.run(sweeping.grid(["rag.top_k=1,0"]))
    assert not (tmp_path / "runs").exists()
    with pytest.raises(RecipeError, match="allowed: base, rag"):
        sweeping.Sweep(project(), SMALL, tmp_path / "runs", Silent(), arm="tuned")


def test_optuna_asks_for_so_many_points_and_the_same_ones_again() -> None:
    pytest.importorskip("optuna")
    choices: dict[str, list[Any]] = {"a": [1, 2, 3, 4], "b": [1, 2, 3]}

    def asked() -> list[tuple[Any, ...]]:
        points: list[tuple[Any, ...]] = []

        def measure(point: tuple[Any, ...]) -> float:
            points.append(point)
            return -abs(float(point[0]) - 3) - float(point[1])

        sweeping.search(choices, 6, 10, measure)
        return points

    points = asked()
    assert len(points) == len(set(points)) == 6
    assert asked() == points
