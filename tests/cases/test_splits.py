"""Splits, leaks and gold as people have them: each case is a small recipe with data of its own."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ragtune.core.errors import RecordsError
from ragtune.recipe import file as recipe_file
from ragtune.results.failures import analyse
from ragtune.results.retrieval import quality
from ragtune.results.rows import AnswerRow
from ragtune.retrieval.passages import Passage
from ragtune.runs import check as checks
from tests.conftest import ROOT, write_jsonl

CASES = ROOT.parent / "shared" / "cases"

FORMS = ("Who minds the {}?", "Name the warden of the {}.", "The {} is minded by whom?")
THINGS = ("red barn", "stone quay", "long weir", "tin mine", "round tower", "salt store")
WARDENS = ("Eli Crane", "Mo Tarn", "Ida Quill", "Sven Holt", "Uma Reed", "Kit Marlow")


def checked(file: Path, *overrides: str) -> tuple[dict[str, Any], str]:
    """What `ragtune check` finds, and what it prints."""
    found, prediction = checks.check(recipe_file.load(file, overrides))
    return found, checks.show(file, found, prediction)


@pytest.fixture
def small(tmp_path: Path, tiny_llama: Path) -> Callable[..., Path]:
    """Write a recipe and its records, and give the recipe's path."""

    def write(rows: list[dict[str, str]], **sections: Any) -> Path:
        write_jsonl(tmp_path / "records.jsonl", rows)
        recipe = {
            "name": "small",
            "model": {"local": str(tiny_llama)},
            "records": {"source": "records.jsonl"},
            "tune": {"epoch": 1, "max_input_length": 64},
            "study": {"arms": ["base", "tuned"], "max_new_tokens": 4},
            **sections,
        }
        path = tmp_path / "recipe.yaml"
        path.write_text(yaml.safe_dump(recipe), encoding="utf-8")
        return path

    return write


def wordings(*, group: bool) -> list[dict[str, str]]:
    return [
        {
            "instruction": form.format(thing),
            "response": warden,
            **({"group": thing} if group else {}),
        }
        for thing, warden in zip(THINGS, WARDENS, strict=True)
        for form in FORMS
    ]


def test_wordings_of_a_group_stay_together_and_leak_nothing(small: Callable[..., Path]) -> None:
    file = small(wordings(group=True), records={"source": "records.jsonl", "test_fraction": 0.3})
    found, said = checked(file)
    assert (found["train"], found["questions"]) == (12, 6)
    near = found["near_duplicates"]
    assert [near[kind] for kind in ("equal", "similar", "same_fact", "declared")] == [0, 0, 0, 0]
    assert "nearly asked" not in said


def test_wordings_without_a_group_are_counted_as_leaks(small: Callable[..., Path]) -> None:
    file = small(wordings(group=False), records={"source": "records.jsonl", "test_fraction": 0.3})
    found, said = checked(file)
    assert found["near_duplicates"]["same_fact"] >= found["questions"] - 1
    assert found["near_duplicates"]["close"] is None
    assert "held-out questions are nearly asked by training records" in said
    assert "give records that ask for the same fact one `group`" in said


def big(share: int) -> list[dict[str, str]]:
    names = ["rules.md"] * share + [f"letter-{n}.md" for n in range(100 - share)]
    return [
        {"instruction": f"What is said in {n}?", "response": f"It is {n}.", "document": name}
        for n, name in enumerate(names)
    ]


def test_a_document_of_nearly_all_records_is_refused_with_what_to_do(
    small: Callable[..., Path],
) -> None:
    file = small(big(95))
    with pytest.raises(RecordsError) as refused:
        checked(file)
    for told in (
        "95 of 100 records share the document 'rules.md'",
        "records.split: question",
        "study.questions",
        "records.test_fraction: 0.05",
    ):
        assert told in str(refused.value)
    assert checked(file, "records.test_fraction=0.05")[0]["questions"] == 5


def test_a_big_document_is_split_within_by_question(small: Callable[..., Path]) -> None:
    found, said = checked(small(big(95)), "records.split=question")
    assert (found["train"], found["questions"]) == (90, 10)
    assert found["division"]["by"] == "question"
    assert "10 questions (split by question)" in said


def test_a_document_of_most_records_is_trained_on_and_said_to_be(
    small: Callable[..., Path],
) -> None:
    found, said = checked(small(big(80)))
    assert found["questions"] == 10
    assert "80 of 100 records share the document 'rules.md' and are all trained on" in said


def test_facts_to_be_learnt_and_a_split_by_document_are_warned_of(
    small: Callable[..., Path],
) -> None:
    section = {"source": "records.jsonl", "context": "passage"}
    file = small(big(10), records=section)
    told = "tuned will be asked about documents that no training record is about"
    assert told in checked(file)[1]
    assert told not in checked(file, "records.split=question")[1]
    assert told not in checked(file, "records.context=input")[1]


@pytest.fixture
def house(small: Callable[..., Path], tmp_path: Path) -> Path:
    """Documents, and questions whose gold names are off in every way."""
    texts = {
        "staff/trips.md": "# Trips\n\nA bed for a night may cost 90 florins.\n",
        "holiday.md": "# Holiday\n\nEverybody has 31 days off.\n",
        "z-holiday.md": "# Holiday\n\nEverybody has 31 days off.\n",
        "fees.xls": "stamps",
    }
    for name, text in texts.items():
        (tmp_path / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "docs" / name).write_text(text, encoding="utf-8")
    golds = [
        ("trips.md", ""),
        ("docs/staff/trips.md", ""),
        ("Holiday.md", ""),
        ("fees.xls", ""),
        ("z-holiday.md", "everybody has 31 DAYS off"),
        ("holiday.md", "We have 31 days off."),
        ("holiday.md", "A bed for a night may cost 90 florins."),
        ("staff/trips.md", "A bed for a night may cost 90 florins."),
    ]
    questions = [
        {"instruction": f"Question {n}?", "response": "90", "document": name, "evidence": evidence}
        for n, (name, evidence) in enumerate(golds)
    ]
    write_jsonl(tmp_path / "questions.jsonl", questions)
    return small(
        [{"instruction": f"Say {n}.", "response": f"{n}"} for n in range(20)],
        records={"source": "records.jsonl", "context": "passage"},
        documents={"source": "docs"},
        study={"questions": "questions.jsonl", "arms": ["base", "rag"], "max_new_tokens": 4},
    )


def test_gold_that_does_not_exist_is_listed_with_the_nearest_name(house: Path) -> None:
    found, said = checked(house)
    unknown = {one["name"]: one["nearest"] for one in found["unknown_gold"]}
    assert unknown == {
        "trips.md": "staff/trips.md",
        "docs/staff/trips.md": "staff/trips.md",
        "Holiday.md": "holiday.md",
        "fees.xls": "",
    }
    reason = "it is left out: .xls is not read"
    assert f"gold document fees.xls of 1 record does not exist: {reason}" in said
    absent = {one["evidence"]: one["elsewhere"] for one in found["absent_evidence"]}
    assert absent == {
        "We have 31 days off.": "",
        "A bed for a night may cost 90 florins.": "staff/trips.md",
    }


def test_gold_that_does_not_exist_does_not_count_against_retrieval(house: Path) -> None:
    from ragtune.runs.materials import Materials

    materials = Materials(recipe_file.load(house, ()))
    questions = materials.questions
    none = [questions[n].id for n in (0, 1, 2, 3, 5, 6)]
    passages = [Passage("1", "holiday.md", "", "Everybody has 31 days off.", 1.0)]
    found = [passages for _ in questions]
    figures = quality(questions, found, 1, 1, none)
    assert figures is not None
    assert (figures.questions, figures.recall_at_k.mean) == (2, 0.5)
    answer = AnswerRow(
        question="", text="no idea", prompt_tokens=1, completion_tokens=1, cut_tokens=0,
        seconds=0.1, sources=passages,
    )  # fmt: skip
    causes = analyse(questions, {"rag": [answer] * len(questions)}, found, ["unknown"], none).causes
    assert causes["rag"] == {"no_gold": 6, "misread": 1, "not_found": 1}


@pytest.mark.parametrize("name", ["paraphrase-leak", "gold-names", "big-document"])
def test_the_cases_that_people_report(name: str, tmp_path: Path) -> None:
    if not (CASES / name).is_dir():
        pytest.skip("the cases of ../shared/cases are not here")
    folder = tmp_path / name
    shutil.copytree(CASES / name, folder)
    file = folder / "recipe.yaml"
    if name == "big-document":
        with pytest.raises(RecordsError, match=r"95 of 100 records share the document"):
            checked(file)
        assert checked(file, "records.split=question")[0]["questions"] == 10
        return
    found, _ = checked(file)
    if name == "gold-names":
        names = {one["name"] for one in found["unknown_gold"]}
        assert names == {"travel.md", "docs/hr/travel.md", "Leave.md", "prices.xlsx"}
        assert [one["evidence"] for one in found["absent_evidence"]] == [
            "We have 26 days of leave."
        ]
        return
    assert sum(found["near_duplicates"][kind] for kind in ("equal", "similar", "same_fact")) == 0
    rows = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    write_jsonl(folder / "records.jsonl", [{**row, "group": ""} for row in rows])
    assert checked(file)[0]["near_duplicates"]["same_fact"] == 10
