from pathlib import Path

import pytest

from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune.results.adapters import measured, recall
from ragtune.results.rows import Recalled
from ragtune.results.schema import Recall
from ragtune.sources.records import Record
from tests.local.results.made_up import NOTES, TRAINING, write_run

ARMS = ("base", "tuned", "rag", "tuned+rag")


def test_what_was_measured_is_by_adapter(tmp_path: Path) -> None:
    results, folder = write_run(tmp_path, ARMS, learnt=46), RunFolder(tmp_path)
    assert list(results.tune) == list(results.forgetting) == ["tuned", "tuned+rag"]
    assert results.recall["tuned+rag"] == Recall(right=46, questions=50)
    assert results.heldout_loss == {}
    write_json(folder.heldout, {"tuned": {"base": 3.0, "tuned": 2.0, "tokens": 9}})
    found = measured(results.recipe.filled, folder)
    assert list(found.heldout) == ["tuned"]
    assert found.heldout["tuned"].tuned == 2.0
    assert set(NOTES.stages) >= {"tune/tuned", "tune/tuned+rag"}


def test_an_adapter_that_is_shared_serves_both_arms(tmp_path: Path) -> None:
    results = write_run(tmp_path, ARMS, tune={"adapters": "shared"}, learnt=10)
    assert list(results.tune) == ["tuned"]
    (fault,) = [f for f in results.faults if f.kind == "not_learnt"]
    assert fault.arms == ("tuned", "tuned+rag")


@pytest.mark.parametrize(("metric", "faults"), [("right", 1), ("rouge_l", 0)])
def test_recall_is_a_fault_only_where_rightness_decides(
    tmp_path: Path, metric: str, faults: int
) -> None:
    results = write_run(tmp_path, ("base", "tuned"), learnt=10, deciding=metric)
    assert sum(f.kind == "not_learnt" for f in results.faults) == faults
    assert results.recall["tuned"].right == 10


def test_recall_knows_numbers_and_refusals() -> None:
    rows = [
        Recalled(question=Record("When?", "6 o'clock").to_json(), text="at six o'clock"),
        Recalled(question=Record("Why?", "not in the documents").to_json(), text="Not known."),
        Recalled(question=Record("Who?", "Ann").to_json(), text="Bob"),
    ]
    assert recall(rows, ("not in the documents", "not known")) == Recall(right=2, questions=3)


def test_what_was_trained_is_read_with_all_that_was_noted(tmp_path: Path) -> None:
    results, folder = write_run(tmp_path, ("base", "tuned")), RunFolder(tmp_path)
    write_json(folder.training("tuned"), {**TRAINING, "settings": {"learning_rate": 0.001}})
    found = measured(results.recipe.filled, folder).training["tuned"]
    assert (found.model_extra or {})["settings"] == {"learning_rate": 0.001}
