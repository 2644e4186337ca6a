"""The sentences about what was counted."""

from pathlib import Path

from ragtune.results import wording
from ragtune.results.schema import Failures, Recall
from tests.local.results.made_up import TEXTS, write_run


def test_wrong_answers_are_counted_by_what_retrieval_did() -> None:
    found = Failures(
        right={"rag": 4},
        flips={},
        steps=[],
        causes={"rag": {"misread": 3, "not_found": 2, "no_gold": 1}},
        questions=[],
    )
    assert wording.failures(found) == [
        "right: rag 4",
        "rag wrong: gold not found 2, misread 3",
    ]


def test_recall_is_said_of_each_adapter() -> None:
    one = Recall(right=46, questions=50)
    assert wording.recall({}) == ""
    assert wording.recall({"tuned": one}) == (
        "tuned answers 46 of 50 of its own training questions"
    )
    assert wording.recall({"tuned": one, "tuned+rag": Recall(right=49, questions=50)}) == (
        "tuned answers 46 of 50 of its own training questions, tuned+rag 49 of 50"
    )


def test_what_seeds_are_apart_is_said_where_there_are_several(tmp_path: Path) -> None:
    assert wording.spread(write_run(tmp_path / "one", ("base", "tuned"))) == ""
    others = [["Ann", "at six", "not in the documents"], TEXTS["tuned"]]
    found = write_run(tmp_path / "three", ("base", "tuned"), seeds={"tuned": others})
    assert wording.spread(found) == (
        "tuned with several seeds: tuned 2 (1-3 over 3 seeds) of 3 right; figures are means over "
        "them, and answers, flips and causes those of the first"
    )
