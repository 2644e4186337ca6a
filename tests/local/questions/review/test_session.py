"""What is decided about questions, and that none of it is lost."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import RecipeError, RecordsError, RunError
from ragtune.questions.review.holding import Holding
from ragtune.questions.review.journal import Decision, decided, path_for
from ragtune.questions.review.marked import pieces
from ragtune.questions.review.session import Review
from tests.local.questions.review.rows_of import drafted, lines, write


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "questions.jsonl", [drafted(n) for n in range(5)])


def opened(file: Path) -> Review:
    review = Review(file)
    review.take_up()
    return review


def decide(review: Review, place: int, state: Any, *texts: str | None) -> None:
    review.decide([Decision(review.all[place].id, state, *texts)])


def states(review: Review) -> list[str]:
    return [one.now.state for one in review.all]


def test_the_file_holds_what_was_not_dropped_and_says_what_was_kept(file: Path) -> None:
    review = opened(file)
    decide(review, 0, "kept")
    decide(review, 1, "dropped")
    decide(review, 2, "kept", "What is soup 2?", "five crowns")
    found = lines(file)
    assert [row["instruction"] for row in found] == [
        drafted(0)["instruction"],
        "What is soup 2?",
        *(drafted(n)["instruction"] for n in (3, 4)),
    ]
    assert [row["reviewed"] for row in found] == [True, True, False, False]
    assert found[1]["response"] == "five crowns"
    assert {**found[1], "instruction": "", "response": ""} == {
        **drafted(2, reviewed=True), "instruction": "", "response": "",
    }  # fmt: skip


def test_opened_again_it_is_as_it_was_with_drafts_and_undo(file: Path) -> None:
    first = opened(file)
    decide(first, 0, "kept")
    decide(first, 1, "dropped")
    decide(first, 2, "kept", "What is soup 2?")
    again = opened(file)
    assert [one.now for one in again.all] == [one.now for one in first.all]
    assert again.notes == []
    assert again.all[2].row == drafted(2)
    assert again.all[2].question == "What is soup 2?"
    before = path_for(file).read_bytes()
    for state in ("kept", "dropped", "open"), ("kept", "open", "open"), ("open",) * 3:
        again.undo()
        assert tuple(states(again)[:3]) == state
    assert path_for(file).read_bytes().startswith(before)
    assert lines(file) == [drafted(n) for n in range(5)]
    with pytest.raises(RecipeError, match="nothing to undo"):
        again.undo()


def test_dropped_rows_come_back(file: Path) -> None:
    decide(opened(file), 3, "dropped")
    assert len(lines(file)) == 4
    decide(opened(file), 3, "kept")
    assert lines(file)[3] == drafted(3, reviewed=True)


@pytest.mark.parametrize("state", ["kept", "dropped", "undo"])
def test_a_kill_between_journal_and_file_loses_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    review = opened(file)
    decide(review, 1, "dropped")

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ragtune.questions.review.session.write_jsonl", killed)
    with pytest.raises(KeyboardInterrupt):
        if state == "undo":
            review.undo()
        else:
            decide(review, 2, state, "Another question?")
    monkeypatch.undo()
    again = opened(file)
    assert states(again) == states(review)
    assert again.notes == []
    assert lines(file) == [one.line for one in again.all if one.now.state != "dropped"]


def test_a_line_that_a_kill_cut_short_is_no_decision(file: Path) -> None:
    decide(opened(file), 0, "kept")
    whole = path_for(file).read_bytes()
    decide(opened(file), 1, "dropped")
    cut = path_for(file).read_bytes()[:-9]
    path_for(file).write_bytes(cut)
    again = Review(file)
    assert states(again)[0] == "kept"
    again = opened(file)
    decide(again, 4, "kept")
    assert path_for(file).read_bytes().startswith(whole)
    assert states(opened(file)) == states(again)


def test_what_was_changed_elsewhere_is_taken_up_and_never_written_over(file: Path) -> None:
    review = opened(file)
    decide(review, 0, "kept")
    decide(review, 1, "kept")
    write(file, [*lines(file)[1:], drafted(7)])
    with pytest.raises(RunError, match=r"changed elsewhere.*ragtune review"):
        decide(review, 2, "kept")
    again = opened(file)
    assert states(again) == ["dropped", "kept", "open", "open", "open", "open"]
    assert len(again.notes) == 2
    assert opened(file).notes == []
    decide(again, 0, "kept")
    assert len(lines(file)) == 6


def test_a_disk_that_refuses_leaves_no_half_decision(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = opened(file)
    decide(review, 0, "kept")

    def full(*_: Any) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr("ragtune.questions.review.journal.os.fsync", full)
        with pytest.raises(RunError, match="disk is full"):
            decide(review, 1, "kept")
    assert states(review)[1] == "open"
    decide(review, 2, "dropped")
    assert states(opened(file)) == ["kept", "open", "dropped", "open", "open"]


def test_equal_rows_are_decided_each_for_itself(tmp_path: Path) -> None:
    file = write(tmp_path / "q.jsonl", [drafted(1), drafted(1), drafted(1)])
    review = opened(file)
    assert len({one.id for one in review.all}) == 3
    decide(review, 1, "dropped")
    decide(review, 2, "kept")
    assert states(opened(file)) == ["open", "dropped", "kept"]


def test_columns_and_lists_of_other_forms_stay_as_they_are(tmp_path: Path) -> None:
    row = {"question": "Who?", "answer": ["Ann", "Ann Lee"], "lang": {"en": 1}}
    file = write(tmp_path / "q.jsonl", [row])
    decide(opened(file), 0, "kept", None, "Ann\nAnn Lee\nMiss Lee")
    assert lines(file) == [{**row, "answer": ["Ann", "Ann Lee", "Miss Lee"], "reviewed": True}]


def test_an_empty_text_is_no_edit(file: Path) -> None:
    review = opened(file)
    for texts in (" ", None), (None, ""):
        with pytest.raises(RecipeError, match="empty; drop the row"):
            decide(review, 0, "kept", *texts)
    decide(review, 0, "kept", f" {drafted(0)['instruction']} ", drafted(0)["response"])
    assert not review.all[0].is_edited


def test_the_second_reviewer_is_told_who_has_the_file(file: Path) -> None:
    first = Holding(file)
    first.sign("http://127.0.0.1:8123/")
    try:
        with pytest.raises(RunError, match=rf"in review by .*{os.getpid()}.*127.0.0.1:8123"):
            Holding(file)
    finally:
        first.close()
    Holding(file).close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no questions"),
        ("nothing\n", "1: no JSON object"),
        ('{"instruction": "Who?"}\n', "1: none of response"),
        ('\n{"response": "Ann"}\n', "2: none of instruction"),
        ('{"instruction": "\\ud800?", "response": "Ann"}\n', "1: holds half a character"),
    ],
)
def test_what_is_no_file_of_questions_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(text)
    with pytest.raises(RecordsError, match=said):
        Review(file)
    with pytest.raises(RecordsError, match="no such file"):
        Review(tmp_path / "none.jsonl")


def test_a_damaged_journal_is_named_and_left(file: Path) -> None:
    path_for(file).write_text('{"review": 1}\nnot\n')
    with pytest.raises(RecordsError, match=r"damaged.*move it away"):
        Review(file)
    path_for(file).write_text(json.dumps({"review": 99}) + "\n")
    with pytest.raises(RecordsError, match="another version"):
        Review(file)


def test_decided_counts_rows_that_a_person_dropped_too(file: Path) -> None:
    assert decided(file) == 0
    review = opened(file)
    decide(review, 0, "dropped")
    decide(review, 1, "kept")
    review.decide([replace(review.all[1].now, state="open")])
    assert decided(file) == 1


def test_the_sentence_is_marked_in_its_passage_and_the_answer_in_it() -> None:
    found = pieces("Before.\nSoup  costs\n5 crowns. After 😀.", "Soup costs 5 crowns.", "5 Crowns")
    assert [(one["role"], one["text"]) for one in found] == [
        ("around", "Before.\n"),
        ("evidence", "Soup  costs\n"),
        ("answer", "5 crowns"),
        ("evidence", "."),
        ("around", " After 😀."),
    ]
    assert [one["role"] for one in pieces("Other.", "Soup.", "x")] == ["evidence"]
    assert pieces("", "", "") == []
    assert [one["role"] for one in pieces("Passage.", "", "Passage")] == ["around"]
