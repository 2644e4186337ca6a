"""What one value, name or header that is odd costs: its row or one line, never the rest."""

import datetime
import json
import struct
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ragtune.core.errors import RecordsError
from ragtune.recipe.records import Records
from ragtune.sources.records import Loaded, load
from ragtune.sources.rows import columns, files


def read(path: Path) -> Loaded:
    return load(path, Records(source=path.name, max_bad_lines=1))


def test_a_value_that_python_does_not_have_costs_its_row_alone(tmp_path: Path) -> None:
    """A time in the year 148,000, and a text that is not UTF-8."""
    times = pa.array([1, 2**62, 2], pa.timestamp("us"))
    offsets = struct.pack("<4i", 0, 1, 2, 4)
    texts = pa.Array.from_buffers(
        pa.string(), 3, [None, pa.py_buffer(offsets), pa.py_buffer(b"ab\xff\xfe")]
    )
    pq.write_table(pa.table({"question": texts, "answer": times}), tmp_path / "records.parquet")
    first, second, third = files.table(tmp_path / "records.parquet").rows
    assert first.values == {"question": "a", "answer": "1970-01-01 00:00:00.000001"}
    assert str(second.values) == "answer cannot be read: date value out of range"
    assert str(third.values).startswith("question cannot be read: 'utf-8' codec can't decode")


@pytest.mark.parametrize(
    ("value", "text"),
    [(datetime.time(6, 30), "06:30:00"), (datetime.timedelta(hours=25), "1 day, 1:00:00")],
)
def test_times_and_spans_are_text(value: object, text: str) -> None:
    assert columns.plain(value) == text


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    values = [pa.array(["a"])] * 3
    table = pa.Table.from_arrays(values, names=["question", "answer", "answer"])
    pq.write_table(table, tmp_path / "records.parquet")
    with pytest.raises(RecordsError, match=r"records.parquet: two columns are named 'answer'"):
        read(tmp_path / "records.parquet")


def test_a_library_that_fails_in_a_way_of_its_own_ends_in_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    zone = pa.array([1], pa.timestamp("us", tz="Mars/Phobos"))
    bad = pa.table({"question": ["When?"], "answer": zone})
    pq.write_table(bad, tmp_path / "records.parquet")
    with zipfile.ZipFile(tmp_path / "records.xlsx", "w") as file:
        file.writestr("xl/workbook.xml", "<workbook/>")
        file.writestr("[Content_Types].xml", "<Types")
    for name in ("records.parquet", "records.xlsx"):
        with pytest.raises(RecordsError) as caught:
            read(tmp_path / name)
        assert "crashed" not in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1
    assert capfd.readouterr().err == ""


def test_a_header_that_is_no_csv_is_named(tmp_path: Path) -> None:
    path = tmp_path / "records.csv"
    path.write_text('"question"x,answer\na,b\n')
    with pytest.raises(RecordsError, match=r"records.csv:1: the names of the columns are not CSV"):
        read(path)


def test_values_without_a_name_above_them_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "records.csv"
    path.write_text("question,answer,,\na,b,c,d\ne,f,,\n")
    found = read(path)
    assert len(found.records) == 2
    note = "records.csv: rows with values in columns without a name, left out there: 1"
    assert note in found.read


def test_a_column_that_differs_in_case_alone_is_named_as_not_used(tmp_path: Path) -> None:
    path = tmp_path / "records.csv"
    path.write_text("Question,question,answer\na,b,c\n")
    found = read(path)
    assert [record.instruction for record in found.records] == ["a"]
    assert "not used: question" in found.read[0]


def test_a_name_with_two_values_is_a_bad_line_and_one_with_the_same_twice_is_none(
    tmp_path: Path,
) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(
        '{"question": "a", "answer": "six", "answer": "seven"}\n'
        '{"question": "b", "answer": "six", "answer": "six"}\n'
    )
    found = read(path)
    assert [record.instruction for record in found.records] == ["b"]
    assert [str(bad) for bad in found.bad] == [
        "records.jsonl:1: has two values for answer; keep one"
    ]
    path.write_text('[{"question": "a", "answer": "six", "answer": "seven"}]')
    with pytest.raises(RecordsError, match="has two values for answer"):
        read(path)


def test_names_that_would_steer_a_terminal_are_shown_as_escapes(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    row = {"question": "a", "answer": "b", "\x1b[2J\nx\u202ey": "c"}
    path.write_text(json.dumps(row))
    assert read(path).read[0].endswith(r"not used: \x1b[2J x\u202ey")
