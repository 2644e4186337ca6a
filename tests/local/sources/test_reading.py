"""Files that are made to do harm: each is left out with its reason, and the others are read."""

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import DocumentsError, RecordsError
from ragtune.recipe.records import Records
from ragtune.sources import reader_process, reading, records
from ragtune.sources.bounds import Bounds
from ragtune.sources.reader_process import Exceeded, ReaderProcess
from ragtune.sources.readers import text

WIDE = Bounds(30, 1_000_000_000, 10_000_000, 60)


def reason(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(DocumentsError) as error:
        reading.read(path, path.name)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_process_that_takes_too_much_is_replaced_and_the_next_file_is_read() -> None:
    process = ReaderProcess()
    try:
        assert process.call("builtins", "len", [1, 2], bounds=WIDE) == 2
        first = process._process
        assert process.call("builtins", "len", "abc", bounds=WIDE) == 3
        assert process._process is first  # one for all
        with pytest.raises(Exceeded, match="takes more than 0 seconds to read"):
            process.call("time", "sleep", 60, bounds=Bounds(0.1, WIDE.memory, 0, 0.4))
        with pytest.raises(Exceeded, match="takes more than 200 MB of memory"):
            process.call(
                "builtins", "bytearray", 900_000_000, bounds=Bounds(30, 200_000_000, 0, 60)
            )
        with pytest.raises(Exceeded, match="its reader crashed"):
            process.call("os", "abort", bounds=WIDE)
        assert process.call("builtins", "len", "ab", bounds=WIDE) == 2
        last = process._process
        assert last is not None
    finally:
        process.stop()
    assert last.returncode is not None
    assert first is not None
    assert first.returncode is not None


ORPHAN = """
from ragtune.sources.bounds import Bounds
from ragtune.sources.reader_process import PROCESS
bounds = Bounds(300, 10**9, 10**6, 600)
print(PROCESS.call("os", "getpid", bounds=bounds), flush=True)
PROCESS.call("time", "sleep", 600, bounds=bounds)
"""


def test_a_reader_whose_parent_is_killed_ends_whatever_it_is_at() -> None:
    import psutil

    with subprocess.Popen(
        [sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        reader = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    _, alive = psutil.wait_procs([reader], timeout=60)
    assert not alive


def test_a_hang_costs_its_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "bounds_of", lambda path: Bounds(0.3, WIDE.memory, 10**6, 1.2))
    (tmp_path / "bad.html").write_text("<p>x</p>" * 300_000)
    for process in (reader_process.PROCESS, None):  # it is not tried again
        monkeypatch.setattr(reading, "PROCESS", process)
        with pytest.raises(DocumentsError, match="cannot be read: takes more than 0 seconds"):
            reading.read(tmp_path / "bad.html", "bad.html", "its hash")


def docx(body: bytes) -> bytes:
    import docx

    held, made = io.BytesIO(), io.BytesIO()
    docx.Document().save(held)
    with zipfile.ZipFile(held) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "word/document.xml":
                content = content.replace(b"<w:body>", b"<w:body>" + body)
            new.writestr(name, content)
    return made.getvalue()


def test_what_unpacks_to_more_than_it_may_is_named(tmp_path: Path) -> None:
    paragraph = b"<w:p><w:r><w:t>%s</w:t></w:r></w:p>" % (b"six " * 1_000_000)
    said = reason(tmp_path / "a.docx", docx(paragraph))
    assert said.startswith("cannot be read: unpacks to 3,999,999 characters, over ")
    said = reason(tmp_path / "b.docx", docx(b"<w:p>" * 5000 + b"</w:p>" * 5000))
    assert said.startswith("cannot be read: Excessive depth in document")
    keys = json.dumps({"k" * 9000: [[1]] * 2000}).encode()
    assert "over 2," in reason(tmp_path / "k.json", keys)


def test_half_characters_and_odd_encodings_cost_a_mark_or_the_file(tmp_path: Path) -> None:
    for name in ("unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined", "rot13"):
        said = reason(tmp_path / "a.html", f'<meta charset="{name}">\\ud800'.encode())
        assert said == f"cannot be read: not {name}, as it says; save it as UTF-8"
    (tmp_path / "a.json").write_text('{"a": "x\\ud800y", "b": %s}' % ("9" * 5000))
    (document,) = reading.read(tmp_path / "a.json", "a.json")
    assert document.text == f"a: x\ufffdy\nb: {'9' * 5000}"
    assert document.left_out == ("1 half characters (lone surrogates)",)


def test_one_line_that_is_nested_too_deeply_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": "Fog."}\n' + "[" * 100_000 + '\n{"a": "Soup."}\n')
    (document,) = reading.read(tmp_path / "a.jsonl", "a.jsonl")
    assert document.text == "a: Fog.\na: Soup."
    assert document.left_out == ("line 2: nested too deeply",)


@pytest.mark.parametrize("letter", [" ", "#", "# ", "|", "-", "=", ". ", "\n", "a-\n", "> "])
def test_a_long_line_of_signs_is_read_in_one_pass(tmp_path: Path, letter: str) -> None:
    for suffix in (".md", ".adoc", ".rst", ".org"):
        (tmp_path / f"a{suffix}").write_text(f"# {letter * 100_000}x\n|a|\n|-|\n", encoding="utf-8")
        began = time.process_time()
        text.read(tmp_path / f"a{suffix}", "a")
        assert time.process_time() - began < 5


def loaded(path: Path, **fields: Any) -> records.Loaded:
    return records.load(path, Records(source=path.name, max_bad_lines=1, **fields))


def test_records_in_a_pipe_or_a_device_are_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jsonl")
    with pytest.raises(RecordsError, match="is a named pipe; records are read from"):
        loaded(tmp_path / "a.jsonl")
    with pytest.raises(RecordsError, match="is a device; records are read from"):
        loaded(Path("/dev/zero"))
    with pytest.raises(RecordsError, match=r"a\.jsonl is left out: it is a named pipe"):
        loaded(tmp_path)


def test_packed_records_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    from ragtune.sources.rows import files

    monkeypatch.setattr(files, "UNPACKED", 1_000_000)
    row = b'{"question": "When?", "answer": "six"}\n'
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(row * 100_000))
    with pytest.raises(RecordsError, match="unpacks to more than 1 MB; unpack it, and split it"):
        loaded(tmp_path / "a.jsonl.gz")


def test_packed_tables_are_read_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa
    from pyarrow.parquet import write_table

    from ragtune.sources.rows import files

    rows = pa.table({"question": ["q"] * 1_000_000, "answer": ["six"] * 1_000_000})
    write_table(rows, tmp_path / "a.parquet")
    little = Bounds(30, 200_000_000, 0, 60)
    monkeypatch.setattr(files, "bounds_of", lambda path: little)
    with pytest.raises(RecordsError, match="takes more than 200 MB of memory to read; split it"):
        loaded(tmp_path / "a.parquet")
    reader_process.PROCESS.stop()


@pytest.mark.parametrize("name", ["unicode_escape", "punycode", "idna", "undefined", "zip", "a\0b"])
def test_an_encoding_that_is_no_character_set_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.jsonl").write_text('{"question": "q", "answer": "a"}\n')
    with pytest.raises(RecordsError, match="unknown encoding; one is for example utf-8"):
        loaded(tmp_path / "a.jsonl", encoding=name)


@pytest.mark.parametrize(
    ("written", "read"),
    [("0", "0"), ("false", "false"), ("null", ""), ('""', ""), ("[]", None), ("{}", None)],
)
@pytest.mark.parametrize("column", ["context", "input", "meta.text", "history", "earlier"])
def test_a_context_is_what_it_says_or_a_fault(
    tmp_path: Path, column: str, written: str, read: str | None
) -> None:
    key = column.partition(".")[0]
    row = {"instruction": "q", "response": "a", key: json.loads(written)}
    (tmp_path / "a.jsonl").write_text(f"{json.dumps(row)}\n" * 2)
    fields = {"fields": {"context": column}} if "." in column else {}
    if column in ("history", "earlier"):  # lists of turns, of which there may be none
        good = written in ("null", "[]") or (column, written) == ("history", '""')
    elif "." in column:  # where there is no object there is no part of it
        good = written in ("null", "{}")
        read = ""
    else:
        good = read is not None
    if not good:
        with pytest.raises(RecordsError, match=f"{key}|context is"):
            loaded(tmp_path / "a.jsonl", **fields)
    else:
        found = loaded(tmp_path / "a.jsonl", **fields).records[0]
        assert found.context == (read if column in ("context", "input") else "")
        assert found.earlier == ()
