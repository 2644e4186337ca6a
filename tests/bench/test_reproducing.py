import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ragtune.recipe import file as recipe_file
from scripts.bench import facts, reproducing, signs, studies
from scripts.bench.reproducing import Finished, Found
from tests.conftest import write_jsonl


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Dolly's and SQuAD's form, with paragraphs of one word."""
    folder = tmp_path / "data"
    rows = [("p1", "q1", "a"), ("p1", "q2", "b"), ("p2", "q3", "c"), ("p3", "q4", "d e")]
    dolly = [
        {"instruction": q, "context": p, "response": a, "category": "closed_qa"} for p, q, a in rows
    ]
    dolly.append({**dolly[0], "instruction": "other", "category": "brainstorming"})
    dolly.append({**dolly[0], "instruction": "long", "response": "word " * 13})
    (folder / "dolly").mkdir(parents=True)
    write_jsonl(folder / studies.DOLLY, dolly)
    queries = [{"id": n, "context": f"s{n}", "question": f"asks {n}"} for n in "123"]
    truth = {
        "1": {"answers": ["x", "y", "x"], "is_impossible": False},
        "2": {"answers": [""], "is_impossible": True},
        "3": {"answers": ["z"], "is_impossible": False},
    }
    squad = folder / studies.SQUAD
    squad.mkdir(parents=True)
    (squad / "queries.json").write_text(json.dumps({"queries": queries}))
    (squad / "ground_truth.json").write_text(json.dumps(truth))
    return folder


def test_what_is_asked_of_dolly_is_about_documents_that_are_trained_on(data: Path) -> None:
    found = studies.sources(data)
    assert [r.instruction for r in found.records] == ["q1", "q3", "q4"]
    assert [q.instruction for q in found.questions] == ["q2", "asks 1", "asks 3", "asks 2"]
    assert found.questions[1].references == ("x", "y")
    assert found.questions[3].response == studies.REFUSAL
    assert set(found.paragraphs) == {"p1", "p2", "p3", "s1", "s2", "s3"}


@pytest.mark.parametrize("study", signs.studies(signs.SIGNS))
def test_every_study_has_a_recipe_and_asks_the_arms_that_are_compared(
    study: str, data: Path, tmp_path: Path
) -> None:
    recipe = recipe_file.load(studies.write(study, data, tmp_path / "study"))
    compared = {
        arm
        for sign in signs.SIGNS
        for comparison in sign.comparisons
        for name, arm in (comparison.left, comparison.right)
        if name == study
    }
    assert compared <= set(recipe.arms)


def test_distractors_leave_out_the_paragraphs_that_answer(data: Path, tmp_path: Path) -> None:
    studies.write("distractors/builtin", data, tmp_path)
    left = {path.read_text().strip() for path in (tmp_path / "docs").iterdir()}
    assert left == {"p2", "p3"}


def test_both_studies_of_facts_train_on_as_many_rows_and_never_on_what_is_asked(
    data: Path, tmp_path: Path
) -> None:
    presented = []
    for wordings in (1, 4):
        folder = tmp_path / str(wordings)
        studies.write(f"facts-{wordings}", data, folder)
        rows = (folder / "records.jsonl").read_text().splitlines()
        presented.append(len(rows))
        taught = {json.loads(row)["instruction"] for row in rows}
        assert len(taught) == 60 * wordings
        assert not taught & {fact.asked for fact in facts.facts()}
    assert presented == [240, 240]


@pytest.mark.parametrize(
    ("low", "high", "expected", "outcome"),
    [
        (0.1, 0.3, "above", "came out"),
        (0.1, 0.3, "below", "contradicted"),
        (-0.3, -0.1, "below", "came out"),
        (-0.3, -0.1, "above", "contradicted"),
        (0.0, 0.2, "above", "undecided"),
        (-0.1, 0.2, "below", "undecided"),
    ],
)
def test_a_sign_comes_out_where_its_whole_interval_is_on_its_side(
    low: float, high: float, expected: str, outcome: str
) -> None:
    assert Found(9, 0.5, 0.5, 0.0, low, high).outcome(expected) == outcome


class Judged(Finished):
    """Answers that are right as it is said."""

    def __init__(self, right: dict[str, list[bool]]) -> None:
        object.__setattr__(self, "given", right)

    def right(self, arm: str, asked: object, category: object) -> list[tuple[str, bool]]:
        return [(str(n), hit) for n, hit in enumerate(self.given[arm])]  # type: ignore[attr-defined]


def test_a_comparison_is_paired_by_question() -> None:
    comparison = signs.Comparison("c", ("one", "rag"), ("two", "tuned"))
    one, two = Judged({"rag": [True] * 20}), Judged({"tuned": [False] * 15 + [True] * 5})
    found = reproducing.compare(comparison, {"one": one, "two": two})
    assert found is not None
    assert (found.questions, found.left, found.right, found.difference) == (20, 1.0, 0.25, 0.75)
    assert 0 < found.low < 0.75 < found.high <= 1
    assert reproducing.compare(comparison, {"one": one}) is None
    with pytest.raises(ValueError, match="different questions"):
        reproducing.compare(comparison, {"one": one, "two": Judged({"tuned": [True]})})


def test_the_page_names_every_sign_before_any_run() -> None:
    text = reproducing.page({})
    assert all(f"### {sign.name}" in text and sign.source in text for sign in signs.SIGNS)
    assert "came out |" in text
    assert "| not run |" in text


def test_an_adapter_that_was_hardly_trained_is_named() -> None:
    def study(right: int) -> Any:
        recall = {"tuned": SimpleNamespace(right=right, questions=50)}
        return SimpleNamespace(results=SimpleNamespace(recall=recall))

    assert reproducing._untrained({"good": study(25)}) == []
    told, _ = reproducing._untrained({"good": study(25), "bad/builtin": study(24)})
    assert "tuned of *bad/builtin*" in told
    assert "good" not in told
