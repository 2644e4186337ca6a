"""A file of records → its rows: what it is, is seen from its content, not from its name."""

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from ragtune.core.errors import RecordsError
from ragtune.core.ordinary import other_than_a_file, special
from ragtune.sources.bounds import MB, bounds_of
from ragtune.sources.reader_process import PROCESS, Exceeded
from ragtune.sources.rows import columns, delimited, json_rows, workbook
from ragtune.sources.rows.base import Row, Table, line
from ragtune.sources.rows.encoding import UTF8, UnknownEncoding, decoded

KINDS = (
    (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz"),
    (".json", ".json.gz"),
    (".csv", ".tsv", ".csv.gz", ".tsv.gz"),
    (".parquet", ".arrow"),
    (".xlsx",),
)
"""Endings of files of records; of a folder the files of the first kind that it has are read."""
ENDINGS = ", ".join(endings[0] for endings in KINDS)
_OTHERS = (
    (b"%PDF", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "an old Office file; save it as .xlsx or .csv"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd; unpack it first"),
    (b"BZh", "packed with bzip2; unpack it first"),
    (b"\xfd7zXZ", "packed with xz; unpack it first"),
    (b"Rar!", "packed with RAR; unpack it first"),
    (b"7z\xbc\xaf", "packed with 7z; unpack it first"),
    (b"\x80\x04\x95", "a pickle, which could run any program; save it as .jsonl or .parquet"),
)
UNPACKED, RATIO = 100 * MB, 20
"""Bytes that a packed file of text may unpack to, or times its size where that is more."""
_LINE = re.compile(r"[\s\ufeff]*([{\[]\s*(?:[\"{}\[\]]|$))", re.MULTILINE)


def folder(path: Path) -> tuple[list[Path], list[str]]:
    """The files of records in a folder, by name, and what is to be said of others.

    Raises RecordsError where there are none.
    """
    there = sorted(p for p in path.iterdir() if not p.name.startswith("."))
    files = [p for p in there if p.is_file()]
    notes = [f"{p.name} is left out: it is {kind}" for p in there if (kind := special(p))]
    kinds = [[p for p in files if p.name.lower().endswith(endings)] for endings in KINDS]
    if not any(kinds):
        others = f"; {notes[0]}" if notes else ""
        raise RecordsError(f"{path}: holds no file of records ({ENDINGS}){others}")
    chosen = next(found for found in kinds if found)
    ending = chosen[0].suffix
    return chosen, [*notes] + [
        f"{p.name} is left out: the folder's {ending} files are read"
        for found in kinds
        for p in found
        if p not in chosen and p.name != "template.json"  # JumpStart's, beside its records
    ]


def table(path: Path, encoding: str | None = None) -> Table:
    """The rows of a file.

    Raises RecordsError for a file that cannot be read, or is nothing that has records.
    """
    if kind := other_than_a_file(path):
        raise RecordsError(f"{path}: is {kind}; records are read from {ENDINGS}")
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise RecordsError(f"{path}: cannot be read: {error.strerror}") from None
    if head.startswith(b"PAR1"):
        return Table(path.name, "Parquet", _apart("columns", "parquet", path)[0])
    if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return Table(path.name, "Arrow", _apart("columns", "arrow", path)[0])
    if head.startswith(b"PK\x03\x04"):
        return _zipped(path)
    for magic, what in _OTHERS:
        if head.startswith(magic):
            raise RecordsError(f"{path}: is {what}; records are read from {ENDINGS}")
    return _of_text(path, _content(path, head), encoding)


def _content(path: Path, head: bytes) -> bytes:
    try:
        if not head.startswith(b"\x1f\x8b"):
            return path.read_bytes()
        most = max(UNPACKED, RATIO * path.stat().st_size)
        with gzip.open(path) as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise RecordsError(
                f"{path}: unpacks to more than {most / MB:,.0f} MB; unpack it, and split it"
            )
        return content
    except (OSError, EOFError, zlib.error) as error:
        raise RecordsError(f"{path}: cannot be read: {line(error)}") from None


def _zipped(path: Path) -> Table:
    try:
        with zipfile.ZipFile(path) as file:
            names = set(file.namelist())
    except (zipfile.BadZipFile, OSError) as error:
        raise RecordsError(f"{path}: cannot be read: {line(error)}") from None
    if "xl/workbook.xml" not in names:
        what = "an Office file, but no .xlsx" if "[Content_Types].xml" in names else "a ZIP file"
        raise RecordsError(f"{path}: is {what}; records are read from {ENDINGS}")
    rows, notes = _apart("workbook", "rows", path)
    return Table(path.name, "XLSX", rows, notes=notes)


def _apart(module: str, function: str, path: Path) -> tuple[Iterator[Row], list[str]]:
    """The rows of a packed file, read in a process that is killed where it takes too much."""
    try:
        rows, notes = PROCESS.call(
            "ragtune.sources.rows.files", "all_rows", module, function, path, bounds=bounds_of(path)
        )
    except Exceeded as error:
        raise RecordsError(f"{path}: cannot be read: {error}") from None
    except OSError as error:
        raise RecordsError(f"{path}: cannot be read: {error.strerror}") from None
    return iter(rows), notes


def all_rows(module: str, function: str, path: Path) -> tuple[list[Row], list[str]]:
    """Every row of a packed file, and what is to be known of it: what `_apart` calls.

    Raises RecordsError, whatever the library raises on a broken file.
    """
    notes: list[str] = []
    try:
        if module == "workbook":
            _refuse_bomb(path)
            return list(workbook.rows(path, notes)), notes
        return list(getattr(columns, function)(path)), notes
    except (RecordsError, MemoryError, RecursionError):
        raise
    except Exception as error:
        raise RecordsError(f"{path}: cannot be read: {line(error)[:300]}") from None


def _refuse_bomb(path: Path) -> None:
    with zipfile.ZipFile(path) as file:
        size = sum(one.file_size for one in file.infolist())
    if size > max(3 * UNPACKED, RATIO * path.stat().st_size):
        raise RecordsError(f"{path}: unpacks to {size / MB:,.0f} MB; split it, or save it as .csv")


def _of_text(path: Path, content: bytes, encoding: str | None) -> Table:
    try:
        text = decoded(content, encoding)
    except UnknownEncoding as error:
        raise RecordsError(f"{path}: {error}") from None
    if "\0" in text.text[:4096]:
        raise RecordsError(f"{path}: is no text; records are read from {ENDINGS}")
    if text.text.lstrip("\ufeff \t\r\n")[:1] == "<":
        raise RecordsError(f"{path}: is HTML or XML; records are read from {ENDINGS}")
    said = "" if text.encoding == UTF8 else text.encoding
    head = text.text[: 1 << 16]
    lines = [one for one in head.splitlines()[:20] if one.strip()]
    if not lines or any(_LINE.match(one) for one in lines):
        kind, rows = json_rows.rows(path.name, text.text)
        return Table(path.name, kind, rows, said)
    if text.broken:
        at = next(n for n, letter in enumerate(text.text) if "\udc80" <= letter <= "\udcff")
        number = text.text.count("\n", 0, at) + 1
        raise RecordsError(
            f"{path}:{number}: not UTF-8, as the rest of the file is; save the whole as UTF-8"
        )
    notes: list[str] = []
    kind, rows = delimited.rows(path.name, text.text, notes)
    return Table(path.name, kind, rows, said, notes)
