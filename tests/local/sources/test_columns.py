"""Which column is what: the forms that are known, names of the recipe's own, and what is left."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ragtune.core.errors import RecordsError
from ragtune.recipe.records import Records
from ragtune.sources.records import Loaded, Record, load
from tests.conftest import write_jsonl

TURNS = [{"role": "user", "content": "When?"}, {"role": "assistant", "content": "At six."}]
BEFORE = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "She."}]
SHARED = [{"from": "human", "value": "When?"}, {"from": "gpt", "value": "At six."}]
PARTS = {"role": "user", "content": [{"type": "text", "text": "When?"}]}
PAIR = {"instruction": "When?", "response": "At six."}


def read(folder: Path, *rows: Any, **spec: Any) -> Loaded:
    path = write_jsonl(folder / "rows.jsonl", list(rows))
    return load(path, Records(source="rows.jsonl", **spec), "no answer")


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        (PAIR, {}),
        ({"instruction": "When?", "output": "At six."}, {}),
        ({"instruction": "When?", "input": "Rules.", "output": "At six."}, {"context": "Rules."}),
        (
            {"instruction": "When?", "context": "Rules.", "input": "Fog.", "response": "At six."},
            {"context": "Rules.\n\nFog."},
        ),
        ({"input": "When?", "output": "At six."}, {}),
        ({"prompt": "When?", "completion": "At six."}, {}),
        ({"prompt": "When?", "response": "At six.", "id": 3}, {}),
        ({"question": "When?", "answer": "At six."}, {}),
        ({"question": "When?", "answers": ["At six.", "Six."]}, {"other_responses": ("Six.",)}),
        ({"question": "When?", "context": "c", "answers": {"text": ["At six."]}}, {"context": "c"}),
        ({"query": "When?", "answer": "At six.", "passage": "Rules."}, {"context": "Rules."}),
        (
            {"instruction": "Answer.", "question": "When?", "answer": "At six."},
            {"instruction": "Answer.", "context": "When?"},
        ),
        ({"Instruction": "When?", " RESPONSE ": "At six.", "Group": "g"}, {"group": "g"}),
        ({"system_prompt": "Be brief.", **PAIR}, {"system": "Be brief."}),
        ({**PAIR, "history": [["Who?", "She."]]}, {"earlier": ("Who?", "She.")}),
        ({"messages": TURNS}, {}),
        ({"prompt": "x", "messages": TURNS}, {}),
        ({"prompt": TURNS[:1], "completion": TURNS[1:]}, {}),
        ({"prompt": TURNS}, {}),
        ({"conversations": SHARED}, {}),
        ({"messages": [{"role": "system", "content": "s"}, *TURNS]}, {"system": "s"}),
        ({"messages": [*TURNS[:1], *TURNS]}, {"instruction": "When?\n\nWhen?"}),
        (
            {"messages": [*BEFORE, *TURNS]},
            {"earlier": ("Who?", "She.")},
        ),
        ({"messages": [TURNS[1], *TURNS]}, {"system": "Assistant: At six."}),
        (
            {"messages": [PARTS, TURNS[1]]},
            {},
        ),
    ],
    ids="-".join,
)
def test_a_known_form_is_read(row: dict[str, Any], fields: dict[str, Any], tmp_path: Path) -> None:
    loaded = read(tmp_path, row, row)
    expected = Record(**{"instruction": "When?", "response": "At six.", **fields})
    assert loaded.records == [expected, expected]
    assert not loaded.bad


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([], "messages is no list of turns, each with its role and content"),
        ([{"role": "tool", "content": "x"}], "messages turn 1 has the role tool; allowed: system"),
        ([*TURNS, {"content": "x"}], "messages turn 3 has the role None"),
        (TURNS[:1], "messages has no turn of the assistant after one of the user"),
        ([TURNS[0], {"role": "assistant", "content": None}], "messages turn 2 is empty"),
        (
            [{"role": "user", "content": [{"type": "image"}]}, TURNS[1]],
            "messages turn 1 has a content that is not text",
        ),
        ([*TURNS, {"role": "system", "content": "x"}], "messages turn 3 is a system turn after"),
    ],
)
def test_a_conversation_that_cannot_be_learnt_from_is_named(
    turns: list[Any], reason: str, tmp_path: Path
) -> None:
    good = {"messages": TURNS}
    loaded = read(
        tmp_path, good, {"messages": turns}, fields={"messages": "messages"}, max_bad_lines=1
    )
    assert len(loaded.records) == 1
    assert str(loaded.bad[0]).startswith(f"rows.jsonl:2: {reason}")


def test_a_question_that_nobody_answers_is_left_out_and_counted(tmp_path: Path) -> None:
    loaded = read(tmp_path, {"messages": [*TURNS, TURNS[0]]}, {"messages": TURNS})
    assert [record.instruction for record in loaded.records] == ["When?", "When?"]
    assert loaded.read[1:] == [
        "1 conversation ends with a question that nobody answers; it is left out"
    ]


def test_named_columns_come_before_known_ones(tmp_path: Path) -> None:
    row = {
        "frage": "When?",
        "question": "no",
        "answer": "no",
        "gold": {"text": "At six."},
        "src": "a.md",
    }
    named = {"instruction": "frage", "response": "gold.text", "document": "src"}
    loaded = read(tmp_path, row, fields=named)
    assert loaded.records == [Record("When?", "At six.", document="a.md")]
    assert loaded.read == [
        "rows.jsonl: JSON; instruction from frage, response from gold.text, document from src; "
        "not used: question, answer"
    ]


def test_a_column_may_be_named_although_another_row_has_none(tmp_path: Path) -> None:
    loaded = read(
        tmp_path, PAIR, {"frage": "Who?", "response": "She."}, fields={"instruction": "frage"}
    )
    assert [record.instruction for record in loaded.records] == ["When?", "Who?"]


@pytest.mark.parametrize(
    ("row", "spec", "said"),
    [
        (
            {"instruction": "q", "respones": "a", "id": 1},
            {},
            r"no column for the response \(response, output, completion, answer, answers, "
            r"target\); "
            r"the columns are instruction, respones, id \(respones is nearly response\); "
            r"say which one it is: records\.fields: \{response: respones\}",
        ),
        (
            {"text": "t"},
            {},
            r"no column for the instruction .*records\.fields: \{instruction: text\}",
        ),
        (
            {"frage": "q", "antwort": "a"},
            {"fields": {"instruction": "frge", "response": "antwort"}},
            r"no column for the instruction .*the columns are frage, antwort",
        ),
        (
            {"question": "q", "antwort": "a"},
            {"fields": {"response": "antwort", "document": "quelle"}},
            r"records\.fields\.document: no column quelle; the columns are question, antwort",
        ),
    ],
)
def test_what_cannot_be_mapped_names_the_columns_and_says_how(
    row: dict[str, Any], spec: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(RecordsError, match=said) as caught:
        read(tmp_path, row, row, **spec)
    assert "\n" not in str(caught.value)


def test_columns_that_look_misspelt_are_named_with_the_nearest_known_one(tmp_path: Path) -> None:
    (said,) = read(tmp_path, {**PAIR, "contxt": "c", "catagory": "x", "id": 3}).read
    assert said.endswith(
        "not used: contxt (did you mean context?), catagory (did you mean category?), id"
    )


def test_many_unused_columns_are_counted(tmp_path: Path) -> None:
    (said,) = read(tmp_path, {**PAIR, **{f"col{n}": n for n in range(30)}}).read
    assert said.endswith("col10, col11 and 18 more")


def test_a_question_that_is_said_to_have_no_answer_needs_none(tmp_path: Path) -> None:
    rows = [{"question": "q", "unanswerable": "true"}, {"question": "r", "is_impossible": 1}]
    assert [r.response for r in read(tmp_path, *rows).records] == ["no answer", "no answer"]


def test_questions_of_the_study_may_have_other_columns(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "q.jsonl", [{"question": "q", "answer": "a"}])
    spec = Records(source="r.jsonl", fields={"instruction": "frage", "response": "antwort"})
    (record,) = load(path, spec, questions="q.jsonl").records
    assert (record.instruction, record.response) == ("q", "a")


def test_only_fields_of_a_record_can_be_named() -> None:
    with pytest.raises(ValidationError, match="Input should be 'instruction', 'context'"):
        Records.model_validate({"source": "r.jsonl", "fields": {"frage": "instruction"}})


def test_rows_of_several_forms_are_all_read(tmp_path: Path) -> None:
    loaded = read(tmp_path, PAIR, {"question": "Who?", "answer": "She."}, {"messages": TURNS})
    assert [record.response for record in loaded.records] == ["At six.", "She.", "At six."]
    assert json.loads(json.dumps(loaded.read)) == loaded.read
