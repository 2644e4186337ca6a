import json
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.files import read_json, write_json
from ragtune_cloud import gate
from tests.cloud.conftest import recipe


def reasons(run: Path, **promote: Any) -> str:
    return "; ".join(gate.reasons_against(recipe(promote=promote), run))


def change(path: Path, **values: Any) -> None:
    write_json(path, {**read_json(path), **values})


def test_a_finished_proven_run_passes(run: Path) -> None:
    assert reasons(run) == ""


def test_a_changed_data_file_is_named(run: Path) -> None:
    with (run / "data" / "train.jsonl").open("a") as file:
        file.write(json.dumps({"instruction": "poison"}) + "\n")
    assert "data/train.jsonl changed since the run" in reasons(run)


def test_an_unfinished_run_says_what_is_missing(run: Path) -> None:
    lock = read_json(run / "lock.json")
    del lock["stages"]["tune"]
    write_json(run / "lock.json", lock)
    assert "stage tune not made" in reasons(run)
    (run / "results.json").unlink()
    assert "results.json missing" in reasons(run)


@pytest.mark.parametrize(
    ("stage", "changed", "older"),
    [
        ("tune", {"seed": 11}, "answers/tuned"),
        ("data", {"records": "others"}, "tune"),
        ("data", {"questions": "others"}, "tune, answers/base, answers/tuned"),
    ],
)
def test_a_run_whose_data_or_adapter_was_made_anew_after_its_answers_is_refused(
    run: Path, *, stage: str, changed: dict[str, Any], older: str
) -> None:
    stages = read_json(run / "lock.json")["stages"]
    stages[stage]["inputs"] |= changed
    change(run / "lock.json", stages=stages)
    assert reasons(run) == (
        f"stage {older} older than the run's data or adapter; go on with `ragtune run`"
    )


def test_a_run_without_sums_of_its_data_is_refused(run: Path) -> None:
    (run / "data" / "sha256.json").unlink()
    assert "sha256.json missing" in reasons(run)


def test_tuned_must_beat_base_by_more_than_chance(run: Path) -> None:
    pair = {"left": "base", "right": "tuned", "metric": "token_f1", "mean": -0.02}
    change(run / "results.json", differences=[{**pair, "ci95": [-0.05, 0.01]}])
    assert "token F1 differs by -0.010 to 0.050" in reasons(run)
    assert reasons(run, tuned_beats_base=False) == ""
    change(run / "results.json", differences=[])
    assert "compares no tuned arm with a base arm" in reasons(run)


def test_a_leak_is_refused(run: Path) -> None:
    change(run / "results.json", data={"questions_also_in_training": 2})
    assert "2 held-out questions stand among the training rows" in reasons(run)
    assert reasons(run, no_leaks=False) == ""


def test_results_of_another_recipe_are_refused(run: Path) -> None:
    change(run / "results.json", recipe={"name": "x", "identity": "other"})
    assert "of another recipe" in reasons(run)


def test_where_it_runs_and_what_it_must_show_are_no_part_of_the_identity() -> None:
    other = recipe(cloud={"region": "eu-west-1"}, promote={"no_leaks": False})
    assert other.identity == recipe().identity
