"""A file is read as what its content says it is, whole, or refused in one line."""

import gzip
import json
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ragtune.core.errors import RecordsError
from ragtune.recipe.records import Records
from ragtune.sources.records import Loaded, load
from ragtune.sources.rows import json_rows
from ragtune.sources.rows.base import BadRow

ROWS = [{"question": f"Which desk, {n}?", "answer": f"desk {n}"} for n in range(3)]


def read(path: Path, **spec: Any) -> Loaded:
    return load(path, Records(source=path.name, **spec), "no answer")


def pairs(loaded: Loaded) -> list[tuple[str, str]]:
    return [(record.instruction, record.response) for record in loaded.records]


EXPECTED = [(row["question"], row["answer"]) for row in ROWS]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)
CSV = "question,answer\n" + "".join(f'"{q}",{a}\n' for q, a in EXPECTED)


def workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["question", "answer"])
    for pair in EXPECTED:
        book.active.append(pair)
    book.save(path)


def packed(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(gzip.compress(text.encode()))


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content, encoding="utf-8")


WAYS: dict[str, Callable[[Path], object]] = {
    "lines": text(LINES),
    "lines of Windows": text(LINES.replace("\n", "\r\n")),
    "empty lines between": text("\n\n" + LINES.replace("\n", "\n\n")),
    "list": text(json.dumps(ROWS)),
    "indented list": text(json.dumps(ROWS, indent=2)),
    "indented objects": text("\n".join(json.dumps(row, indent=2) for row in ROWS)),
    "data": text(json.dumps({"version": 1, "data": ROWS})),
    "indented data": text(json.dumps({"data": ROWS, "licence": "none"}, indent=1)),
    "one list of another name": text(json.dumps({"faq": ROWS})),
    "server's rows": text(json.dumps({"rows": [{"row_idx": 0, "row": row} for row in ROWS]})),
    "columns": text(json.dumps({key: [row[key] for row in ROWS] for key in ROWS[0]})),
    "names": text(json.dumps({f"id-{n}": row for n, row in enumerate(ROWS)})),
    "commas": text(CSV),
    "semicolons": text(CSV.replace('",', '";').replace("question,", "question;")),
    "semicolons, as Excel begins": text("sep=;\n" + CSV.replace('",', '";').replace("n,a", "n;a")),
    "tabs": text("question\tanswer\n" + "".join(f"{q}\t{a}\n" for q, a in EXPECTED)),
    "packed lines": packed(LINES),
    "packed table": packed(CSV),
    "workbook": workbook,
    "parquet": lambda path: pq.write_table(pa.Table.from_pylist(ROWS), path),
}


@pytest.mark.parametrize("name", ["rows.jsonl", "rows"])
@pytest.mark.parametrize("way", WAYS)
def test_every_kind_is_read_whatever_its_name_says(way: str, name: str, tmp_path: Path) -> None:
    WAYS[way](tmp_path / name)
    loaded = read(tmp_path / name)
    assert pairs(loaded) == EXPECTED
    assert not loaded.bad


def test_an_arrow_file_and_stream_are_read(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(ROWS)
    for name, new in (("a.arrow", pa.ipc.new_file), ("b.arrow", pa.ipc.new_stream)):
        with pa.OSFile(str(tmp_path / name), "wb") as file, new(file, table.schema) as writer:
            writer.write_table(table)
        assert pairs(read(tmp_path / name)) == EXPECTED


def test_a_quoted_cell_may_hold_line_breaks_and_delimiters(tmp_path: Path) -> None:
    cells = 'question;answer\n"Was, bitte?";"eins;\r\nzwei\n""drei"""\nWer?;vier\n'
    (tmp_path / "t.csv").write_text(cells, encoding="utf-8", newline="")
    loaded = read(tmp_path / "t.csv")
    assert pairs(loaded) == [("Was, bitte?", 'eins;\r\nzwei\n"drei"'), ("Wer?", "vier")]


def test_quotes_in_a_tsv_may_be_letters(tmp_path: Path) -> None:
    text('question\tanswer\n"Why\tbecause\nWho?\tthe "captain\n')(tmp_path / "t.tsv")
    assert pairs(read(tmp_path / "t.tsv")) == [('"Why', "because"), ("Who?", 'the "captain')]


def test_numbers_keep_their_letters(tmp_path: Path) -> None:
    text("question,answer\nHow much?,1.50\nHow many?,007\n")(tmp_path / "t.csv")
    assert [r.response for r in read(tmp_path / "t.csv").records] == ["1.50", "007"]
    lines = ["1.50", "1e3", "-0.0", "12", "true", "false", "9" * 5000]
    rows = [f'{{"question": "q", "answer": {one}}}\n' for one in lines]
    text("".join(rows))(tmp_path / "t.jsonl")
    assert [r.response for r in read(tmp_path / "t.jsonl").records] == lines


def test_a_workbook_gives_what_its_sheet_shows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "empty"
    sheet = book.create_sheet("FAQ")
    sheet.append(["question", "answer", None, "context"])
    shown = {
        "12.50": (12.5, "0.00"),
        "45%": (0.45, "0%"),
        "1,200": (1200, "#,##0"),
        "2026-03-01": (datetime(2026, 3, 1), "yyyy-mm-dd"),
        "7": (7, "General"),
        "0.1": (0.1, "General"),
        "TRUE": (True, "General"),
    }
    for n, (value, form) in enumerate(shown.values(), 2):
        sheet.append([f"q{n}", value, "beside", None])
        sheet.cell(n, 2).number_format = form
    book.create_sheet("notes").append(["by hand"])
    book.save(tmp_path / "t.xlsx")
    loaded = read(tmp_path / "t.xlsx")
    assert [record.response for record in loaded.records] == list(shown)
    assert {record.context for record in loaded.records} == {""}
    assert "t.xlsx: sheet 'notes' is left out: 'FAQ' is read" in loaded.read


def test_typed_columns_become_text(tmp_path: Path) -> None:
    rows = [
        {"question": "q", "answer": 3, "context": 1.5, "category": datetime(2026, 3, 1)},
        {"question": "q", "answer": None, "context": float("nan"), "category": None},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    loaded = read(tmp_path / "t.parquet", max_bad_lines=0.5)
    (record,) = loaded.records
    assert (record.response, record.context, record.category) == ("3", "1.5", "2026-03-01")
    assert str(loaded.bad[0]).startswith("t.parquet row 2: response is missing")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"%PDF-1.7\n", r"is a PDF; records are read from \.jsonl, \.json, \.csv"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is an old Office file; save it as .xlsx"),
        (b"\x80\x04\x95\x00", "is a pickle, which could run any program"),
        (b"<html><body>", "is HTML or XML"),
        (b"\x1f\x8b\x08broken", "cannot be read"),
        (b"PAR1broken", "cannot be read as Parquet"),
        (b"PK\x03\x04broken", "cannot be read"),
        (b"a\0b\0\0\0c", "is no text"),
        (b'question,answer\nq,"open\nr,s\n', r"rows:2: a quotation mark opens a cell and none"),
        (b"question,question\na,b\n", "two columns are named 'question'"),
        (b'[{"question": "q", "answer": "a"},\n {"question": ', "record 2 of its list is not JSON"),
        (b'[{"question": "q", "answer": "a"}', r"rows:1: its list is cut off after record 1"),
        (b'{"train": [{"a": 1}], "test": [{"a": 1}]}', "under each of train, test"),
        (b"[" * 100_000, "record 1 of its list is nested too deeply"),
        (b"Some words.\nAnd more.\n", "no column for the instruction"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(
    content: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / "rows").write_bytes(content)
    with pytest.raises(RecordsError, match=said) as caught:
        read(tmp_path / "rows")
    assert "\n" not in str(caught.value)


def test_a_zip_file_that_is_no_workbook_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "rows", "w") as file:
        file.writestr("rows.jsonl", LINES)
    with pytest.raises(RecordsError, match="is a ZIP file"):
        read(tmp_path / "rows")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"question": "q", "answer": "a"', "not JSON: Expecting ',' delimiter at column 32"),
        ('{"question": "q", "answer": "a"} x', "not JSON: Extra data at column 34"),
        ('{"question": "q", "answer": ' + '{"a":' * 50_000, "nested too deeply"),
        ('{"question": "q", "answer": {"text": "a"}}', "response is an object (text), not text"),
        ('{"question": ["q"], "answer": "a"}', "instruction is a list, not text"),
        ('{"question": "q", "answer": "\\ud83d"}', "response holds half a character"),
        ('{"question": null, "answer": "a"}', "instruction is missing or empty"),
        ('"text"', "not a JSON object"),
    ],
)
def test_a_hostile_line_is_named_and_the_others_are_read(
    line: str, reason: str, tmp_path: Path
) -> None:
    text(LINES + line + "\n" + LINES)(tmp_path / "t.jsonl")
    loaded = read(tmp_path / "t.jsonl", max_bad_lines=0.2)
    assert pairs(loaded) == [*EXPECTED, *EXPECTED]
    (bad,) = loaded.bad
    assert bad.where == "t.jsonl:4"
    assert bad.reason.startswith(reason)


def test_a_row_with_another_count_of_cells_is_named(tmp_path: Path) -> None:
    text(CSV + "a,b,c\n,,\nalone\n")(tmp_path / "t.csv")
    loaded = read(tmp_path / "t.csv", max_bad_lines=0.5)
    assert pairs(loaded) == EXPECTED
    assert [str(bad) for bad in loaded.bad] == [
        "t.csv:5: 3 cells, where the first line has 2",
        "t.csv:7: 1 cells, where the first line has 2",
    ]


def test_of_a_folder_the_files_of_one_kind_are_read_and_others_named(tmp_path: Path) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    text(CSV)(folder / "b.csv")
    text(CSV)(folder / "a.csv")
    text("{}")(folder / "template.json")
    text("# Notes")(folder / "README.md")
    with pytest.raises(RecordsError, match="no column for the instruction"):
        read(folder)
    (folder / "template.json").unlink()
    workbook(folder / "c.xlsx")
    loaded = read(folder)
    assert pairs(loaded) == [*EXPECTED, *EXPECTED]
    assert loaded.read[0].startswith("all: 2 files, a table with commas")
    assert loaded.read[1] == "c.xlsx is left out: the folder's .csv files are read"


def test_an_empty_folder_says_what_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    with pytest.raises(RecordsError, match=r"holds no file of records \(\.jsonl, \.json"):
        read(tmp_path / "all")


@pytest.mark.parametrize(
    ("lines", "read"),
    [
        (['{"a": [1', '2]}, {"b": 3}'], [None, None]),
        (['{"a": [1', '2]},"the next line",{"b": 3}'], [None, None]),
        (['{"a": 1}', '{"a": 2}, {"a": 3}'], [{"a": "1"}, None]),
        (['"the next line"', '{"a": 1}'], ["the next line", {"a": "1"}]),
        (['{"a": 1}', "  ", '{"a": "\udc80"}'], [{"a": "1"}, None]),
        (['{"a": 1}', "[" * 5000, "NaN"], [{"a": "1"}, None, None]),
        (["", ""], []),
    ],
)
def test_lines_that_are_read_together_are_what_each_is_alone(
    lines: list[str], read: list[Any]
) -> None:
    lines = [line.replace("the next line", json_rows._MARKED) for line in lines]
    found = list(json_rows._lines("x", "\r\n".join(lines)))
    values = [None if isinstance(one.values, BadRow) else one.values for one in found]
    assert values == [json_rows._MARKED if one == "the next line" else one for one in read]
    places = [n for n, line in enumerate(lines, 1) if line.strip()]
    assert [one.where for one in found] == [f"x:{n}" for n in places]


def test_a_thousand_lines_are_decoded_in_a_few_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    class Counting(json.JSONDecoder):
        def raw_decode(self, s: str, idx: int = 0) -> tuple[Any, int]:
            calls.append(len(s))
            return super().raw_decode(s, idx)

    monkeypatch.setattr(json_rows, "_DECODER", Counting())
    text = "\n".join(f'{{"a": "{n}"}}' for n in range(1000))
    assert len(list(json_rows._lines("x", text))) == 1000
    assert len(calls) < 10
