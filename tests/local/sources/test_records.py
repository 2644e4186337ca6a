import json
from pathlib import Path
from typing import Any

import pytest

from ragtune.core import offline
from ragtune.core.errors import OfflineError, RecordsError
from ragtune.recipe.records import Records
from ragtune.runs.pipeline import reviewed
from ragtune.sources import split as splits
from tests.conftest import record_rows, write_jsonl


def prepared(
    folder: Path, *, questions: str = splits.HELD_OUT, most: int | None = None, **spec: Any
) -> splits.Split:
    section = Records.model_validate({"source": "r.jsonl", **spec})
    return splits.prepare(
        section,
        seed=1,
        path=lambda name: folder / name,
        questions=questions,
        max_questions=most,
    )


def test_the_published_preparation_of_dolly_gives_its_1069_rows(shared: Path) -> None:
    split = prepared(shared, source="dolly", categories=["summarization"])
    assert (len(split.train), len(split.test)) == (1069, 119)
    assert not {r.context for r in split.train} & {r.context for r in split.test}


def test_bad_lines_are_named_by_number_and_reason(tmp_path: Path) -> None:
    lines = [json.dumps(row) for row in record_rows()]
    bad = ["{broken", "[1]", '{"instruction": "q"}', '{"instruction": ["q"], "response": "a"}']
    (tmp_path / "r.jsonl").write_text("\n".join([*lines, *bad, ""]))
    split = prepared(tmp_path, test_fraction=0.3, max_bad_lines=0.5)
    assert [b.where for b in split.bad] == [f"r.jsonl:{n}" for n in (13, 14, 15, 16)]
    assert "not JSON" in split.bad[0].reason
    assert [b.reason for b in split.bad[1:]] == [
        "not a JSON object",
        'response is missing; write "" where a question has no answer',
        "instruction is a list, not text",
    ]


def test_more_bad_lines_than_the_stated_share_is_an_error(tmp_path: Path) -> None:
    lines = [json.dumps(row) for row in record_rows()] + ["{broken"]
    (tmp_path / "r.jsonl").write_text("\n".join(lines))
    with pytest.raises(RecordsError, match=r"1 of 13 lines are broken.*r\.jsonl:13: not JSON"):
        prepared(tmp_path)


def test_a_line_that_is_not_utf8_is_a_bad_line(tmp_path: Path) -> None:
    content = "\n".join(json.dumps(row) for row in record_rows()).encode() + b"\n\xff\xfe\n"
    (tmp_path / "r.jsonl").write_bytes(content)
    split = prepared(tmp_path, test_fraction=0.3, max_bad_lines=0.1)
    assert [str(b) for b in split.bad] == ["r.jsonl:13: not UTF-8"]


def test_half_a_character_is_a_bad_line(tmp_path: Path) -> None:
    rows: list[dict[str, str]] = [*record_rows(), {"instruction": "q", "response": "a\ud83d"}]
    write_jsonl(tmp_path / "r.jsonl", rows)
    split = prepared(tmp_path, test_fraction=0.3, max_bad_lines=0.1)
    (bad,) = map(str, split.bad)
    assert bad == "r.jsonl:13: response holds half a character (a lone surrogate)"


def test_line_separators_inside_text_do_not_break_a_line(tmp_path: Path) -> None:
    rows = record_rows()
    rows[0]["context"] = "one\u2028two\x85three"
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (tmp_path / "r.jsonl").write_text(text, encoding="utf-8")
    split = prepared(tmp_path, test_fraction=0.3)
    assert len(split.train) + len(split.test) == len(rows)


def test_a_folder_of_files_is_read_in_order_of_name(tmp_path: Path) -> None:
    rows = record_rows()
    (tmp_path / "all").mkdir()
    write_jsonl(tmp_path / "all" / "b.jsonl", rows[6:])
    write_jsonl(tmp_path / "all" / "a.jsonl", rows[:6])
    split = prepared(tmp_path, source="all", test_fraction=0.2)
    train = [r.instruction for r in split.train]
    expected = [row["instruction"] for row in rows]
    assert train == [text for text in expected if text in train]


def test_questions_may_stand_in_a_file_of_their_own(tmp_path: Path) -> None:
    rows = record_rows()
    write_jsonl(tmp_path / "r.jsonl", rows[::2])
    write_jsonl(tmp_path / "q.jsonl", [*rows[1::2], rows[0]])
    split = prepared(tmp_path, questions="q.jsonl")
    assert (len(split.train), len(split.test)) == (6, 7)
    assert [r.instruction for r in split.leaked] == [rows[0]["instruction"]]
    fewer = prepared(tmp_path, questions="q.jsonl", most=2)
    assert (len(fewer.train), fewer.test) == (6, split.test[:2])


def test_that_a_person_reviewed_a_question_is_counted_and_no_part_of_its_content(
    tmp_path: Path,
) -> None:
    rows, found = record_rows(), []
    write_jsonl(tmp_path / "r.jsonl", rows[::2])
    for said in ([None] * 6, [False] * 6, [True, True, "yes", False, None, "?"]):
        asked = [
            row if one is None else {**row, "reviewed": one}
            for row, one in zip(rows[1::2], said, strict=True)
        ]
        write_jsonl(tmp_path / "q.jsonl", asked)
        found.append(prepared(tmp_path, questions="q.jsonl").test)
    assert [reviewed(questions) for questions in found] == [None, 0, 3]
    assert len({tuple(r.id for r in questions) for questions in found}) == 1
    first, *others = ([r.to_json() for r in questions] for questions in found)
    assert all(other == first for other in others)


def test_categories_that_leave_nothing_say_what_there_is(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "r.jsonl", record_rows())
    with pytest.raises(RecordsError, match="it has closed_qa"):
        prepared(tmp_path, categories=["summarisation"])


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_file_holds_no_records(tmp_path: Path, content: str) -> None:
    (tmp_path / "r.jsonl").write_text(content)
    with pytest.raises(RecordsError, match="holds no records"):
        prepared(tmp_path)


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match=r"r\.jsonl: no such file or folder"):
        prepared(tmp_path)


def test_a_hub_id_that_is_not_cached_is_refused_offline(tmp_path: Path) -> None:
    assert offline.is_offline()
    with pytest.raises(OfflineError, match="data set some-body/some-thing: not on this machine"):
        prepared(tmp_path, source="some-body/some-thing")


def test_equal_rows_have_equal_ids_and_others_differ(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "r.jsonl", record_rows())
    split = prepared(tmp_path)
    ids = [r.id for r in [*split.train, *split.test]]
    assert len(set(ids)) == len(ids) == 12
