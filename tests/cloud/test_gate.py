import json
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.files import read_json, write_json
from ragtune.core.run_folder import RunFolder
from ragtune.results.statistics import compare
from ragtune_cloud import gate
from tests.cloud.made_up import recipe


def reasons(run: RunFolder, **promote: Any) -> str:
    return "; ".join(gate.reasons_against(recipe(promote=promote), run))


def change(path: Path, **values: Any) -> None:
    write_json(path, {**read_json(path), **values})


def test_a_finished_proven_run_passes(run: RunFolder) -> None:
    assert reasons(run) == ""


def test_a_changed_data_file_is_named(run: RunFolder) -> None:
    with (run.train_rows).open("a") as file:
        file.write(json.dumps({"instruction": "poison"}) + "\n")
    assert "data/train.jsonl changed since the run" in reasons(run)


def test_an_unfinished_run_says_what_is_missing(run: RunFolder) -> None:
    lock = read_json(run.lock)
    del lock["stages"]["tune"]
    write_json(run.lock, lock)
    assert "stage tune not made" in reasons(run)
    run.results.unlink()
    assert "results.json missing" in reasons(run)


@pytest.mark.parametrize(
    ("stage", "changed", "older"),
    [
        ("tune", {"seed": 11}, "answers/tuned"),
        ("data", {"records": "others"}, "tune"),
        ("data", {"questions": "others"}, "tune, answers/base, answers/tuned"),
    ],
)
def test_a_run_whose_data_or_adapter_was_made_again_after_its_answers_is_refused(
    run: RunFolder, *, stage: str, changed: dict[str, Any], older: str
) -> None:
    stages = read_json(run.lock)["stages"]
    stages[stage]["inputs"] |= changed
    change(run.lock, stages=stages)
    assert reasons(run) == (
        f"stage {older} older than the run's data or adapter; go on with `ragtune run`"
    )


def test_a_run_without_sums_of_its_data_is_refused(run: RunFolder) -> None:
    (run.path / "data" / "sha256.json").unlink()
    assert "the run has no hashes of its data" in reasons(run)


def test_tuned_must_beat_base_by_more_than_chance(run: RunFolder) -> None:
    scores = {"base": [0.0] * 8, "tuned": [1.0, 0.0] + [0.0] * 6}
    (pair,) = compare(scores, 10)
    change(run.results, differences=[{"metric": "token_f1", **pair.to_json()}])
    low, high = pair.difference.ci95
    assert f"token F1 differs by {-high:.3f} to {-low:.3f} (95 %)" in reasons(run)
    assert reasons(run, tuned_beats_base=False) == ""
    change(run.results, differences=[])
    assert "compares no tuned arm with a base arm" in reasons(run)


def test_a_leak_is_refused(run: RunFolder) -> None:
    change(run.results, data={"questions_also_in_training": 2})
    assert "2 held-out questions are among the training rows" in reasons(run)
    assert reasons(run, no_leaks=False) == ""


def test_results_of_another_recipe_are_refused(run: RunFolder) -> None:
    change(run.results, recipe={"name": "x", "identity": "other"})
    assert "of another recipe" in reasons(run)


def test_where_it_runs_and_what_it_must_show_are_no_part_of_the_identity() -> None:
    other = recipe(cloud={"region": "eu-west-1"}, promote={"no_leaks": False})
    assert other.identity == recipe().identity
