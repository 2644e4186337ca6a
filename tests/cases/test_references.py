"""Several right answers, several gold documents, and questions without an answer."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.recipe.records import Records
from ragtune.results.rightness import is_right, is_unanswerable
from ragtune.retrieval.passages import Passage, gold_rank
from ragtune.sources import split as splits
from ragtune.sources.fields import NoRecord
from ragtune.sources.records import Record
from tests.cases.case import figures, records, shared
from tests.conftest import record_rows, write_jsonl
from tests.local.results.made_up import REFUSAL

CITY = "Which town is the yard in?"


def passage(document: str) -> Passage:
    return Passage(document, document, "", "text", 1.0)


@pytest.mark.parametrize(
    "written",
    [
        {"response": ["Port Larkspur", "Larkspur"]},
        {"answers": {"text": ["Port Larkspur", "Larkspur"], "answer_start": [3, 8]}},
        {"answers": [{"text": "Port Larkspur", "answer_start": 3}, {"text": "Larkspur"}]},
        {"answers": ["Port Larkspur", "Larkspur", "Larkspur"]},
        {"response": "Port Larkspur", "answers": {"text": ["Larkspur"]}},
    ],
)
def test_any_of_several_references_counts(written: dict[str, Any], tmp_path: Path) -> None:
    (record,) = records({"instruction": CITY, **written})
    assert record.references == ("Port Larkspur", "Larkspur")
    assert record.response == "Port Larkspur"
    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record
    answers = {"base": ["Larkspur"], "rag": ["Applewick"]}
    found = figures(tmp_path, [{"instruction": CITY, **written}], answers)
    assert found.failures.right == {"base": 1, "rag": 0}
    assert found.several_references == 1
    for metric in ("right", "token_f1", "exact_match", "rouge_l", "recall"):
        assert found.arms["base"].quality[metric].mean == 1


@pytest.mark.parametrize("name", ["document", "documents"])
def test_any_gold_document_counts(name: str) -> None:
    (record,) = records({"instruction": "q", "response": "r", name: ["a.md", "b.md"]})
    assert record.gold == ("a.md", "b.md")
    assert gold_rank(record, [passage("c.md"), passage("b.md")]) == 2
    assert gold_rank(record, [passage("c.md")]) is None


def test_a_record_of_one_answer_keeps_its_id() -> None:
    (record,) = records({"instruction": "q", "response": "r", "document": "d"})
    assert record.id == "d2e3d10738b1"
    assert records({"instruction": "q", "response": ["r"], "document": ["d"]}) == [record]
    (several,) = records({"instruction": "q", "response": ["r", "s"], "document": "d"})
    assert several.id != record.id


@pytest.mark.parametrize(
    "written",
    [
        {"response": ""},
        {"response": []},
        {"response": " "},
        {"answers": {"text": [], "answer_start": []}},
        {"response": "", "unanswerable": True},
        {"unanswerable": True},
        {"response": "42", "is_impossible": True},
    ],
)
def test_what_is_empty_or_said_to_be_so_has_no_answer(written: dict[str, Any]) -> None:
    (record,) = records({"instruction": "q", **written})
    assert record.references == (REFUSAL,)  # what a training row responds
    assert is_unanswerable(record, [REFUSAL])
    assert is_right(record, "The documents do not say.", [REFUSAL])
    assert not is_right(record, "42", [REFUSAL])
    assert not is_right(record, "", [REFUSAL])


def test_an_unanswerable_record_keeps_a_refusal_of_its_own() -> None:
    written = {"instruction": "q", "response": "I do not know that.", "unanswerable": True}
    assert records(written)[0].response == "I do not know that."


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({}, 'response is missing; write "" where a question has no answer'),
        ({"response": "", "unanswerable": False}, "response is empty, but unanswerable is false"),
        ({"response": "x", "unanswerable": "perhaps"}, "unanswerable is neither true nor false"),
        ({"response": ["x", ["y"]]}, "response is a list, not text"),
        ({"answers": {"start": [1]}}, "answers has no text"),
        ({"response": "x", "document": {"name": "a"}}, r"document is an object \(name\), not text"),
    ],
)
def test_what_is_no_record_is_named(written: dict[str, Any], reason: str) -> None:
    with pytest.raises(NoRecord, match=reason):
        records({"instruction": "q", **written})


def test_check_says_how_many_are_unanswerable_and_how_many_have_several_answers(
    project: Callable[..., Path], called: Callable[..., tuple[int, str, str]]
) -> None:
    recipe = project()
    rows: list[dict[str, Any]] = record_rows()
    rows[0]["response"] = ""
    rows[1]["response"] = ["six", "6 am"]
    rows[2]["response"] = "a | b"
    write_jsonl(recipe.parent / "records.jsonl", rows)
    code, out, _ = called("check", recipe)
    assert code == 0
    assert "of these 1 unanswerable: the right answer is study.refusal, in any words" in out
    assert "of these 1 with several right answers, any of which counts" in out
    assert 'of these 1 with " | " in a response, read as one answer; several are a list' in out


def prepared(folder: Path, questions: str = splits.HELD_OUT) -> splits.Split:
    spec = Records(source="records.jsonl")
    return splits.prepare(
        spec, seed=1, path=lambda name: folder / name, questions=questions, refusal=REFUSAL
    )


def test_the_reported_references_are_read(shared_cases: Path) -> None:
    folder = shared_cases / "several-references"
    several = prepared(folder, "questions.jsonl").test
    assert several[0].references == ("New York City", "NYC", "New York")
    assert is_right(several[0], "It is in NYC.", [REFUSAL])
    (squad,) = prepared(folder, "questions-squad.jsonl").test
    assert squad.references == ("New York City", "NYC")
    (hop,) = prepared(folder, "q-multihop.jsonl").test
    assert hop.gold == ("a.md", "b.md")


def test_the_reported_empty_responses_are_unanswerable(shared_cases: Path) -> None:
    split = prepared(shared_cases / "empty-means-unanswerable")
    rows = [*split.train, *split.test]
    assert not split.bad
    assert len(rows) == 30
    assert sum(is_unanswerable(row, [REFUSAL]) for row in rows) == 10


def test_a_refusal_in_any_words_is_one(tmp_path: Path) -> None:
    ways = [
        "I have no idea.", "That isn't mentioned.", "The text does not mention a price.",
        "No information available.", "unknown", "We cannot tell from the documents.",
        "Das steht nicht in den Dokumenten.", "文档中没有提到。", "Pass!",
    ]  # fmt: skip
    questions = [{"instruction": f"q{n}", "response": ""} for n in range(len(ways))]
    answerable = {"instruction": "Which colour is it?", "response": "blue"}
    found = figures(
        tmp_path,
        [*questions, answerable],
        {"base": ["42"] * len(ways) + ["I do not know."], "rag": [*ways[:-1], "Pass!", "blue"]},
    )
    refused = {arm: f.refusal for arm, f in found.arms.items()}
    assert refused["rag"].unanswerable_refused is not None
    assert refused["rag"].unanswerable_refused.mean == pytest.approx(8 / 9, abs=1e-6)
    assert refused["rag"].answerable_refused is not None
    assert refused["rag"].answerable_refused.mean == 0
    assert refused["base"].answerable_refused is not None
    assert refused["base"].answerable_refused.mean == 1
    assert found.failures.right == {"base": 0, "rag": 9}


def test_a_refusal_where_there_is_an_answer_scores_nothing_in_any_metric(tmp_path: Path) -> None:
    question = {"instruction": "What does the text mention?", "response": "the documents"}
    found = figures(tmp_path, [question], {"base": ["The documents do not mention it."]})
    quality = found.arms["base"].quality
    assert {name: quality[name].mean for name in ("right", "token_f1", "rouge_l", "recall")} == {
        "right": 0, "token_f1": 0, "rouge_l": 0, "recall": 0,
    }  # fmt: skip


def test_the_reported_refusals_are_all_counted(shared_cases: Path, tmp_path: Path) -> None:
    found = shared(shared_cases / "ways-to-refuse", tmp_path)
    refused = found.arms["rag"].refusal.unanswerable_refused
    assert refused is not None
    assert refused.mean == 1
    assert found.failures.right == {"base": 0, "rag": 11}
