"""OpenDocument's texts, slides and sheets, from their ``content.xml``."""

from pathlib import Path
from typing import Any

from ragtune.core.errors import DocumentsError
from ragtune.sources.readers import archive, sheets
from ragtune.sources.readers.base import Document, one_line
from ragtune.sources.readers.blocks import Blocks
from ragtune.sources.readers.table import Grid, guessed, marked

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_PARAGRAPHS = (f"{_TEXT}p", f"{_TEXT}h")
_UNSAID = frozenset(
    f"{_TEXT}{name}" for name in ("tracked-changes", "sequence-decls", "index-title-template")
)
_MOST = 1000
"""Times that a repeated cell, space or row is taken."""


def read(path: Path, name: str) -> list[Document]:
    """The text with its headings, tables as rows of ``column: value``; a slide or sheet each."""
    with archive.opened(path) as file:
        if "content.xml" not in file.namelist():
            raise DocumentsError("cannot be read: not what its name says")
        if b"encryption-data" in file.read("META-INF/manifest.xml"):
            raise DocumentsError("needs a password; save it without one")
        root = archive.xml(file.read("content.xml"))
    body = root.find(f"{_OFFICE}body")
    if (book := body.find(f"{_OFFICE}spreadsheet")) is not None:
        tables = list(book.iterchildren(f"{_TABLE}table"))
        return [sheets.document(_rows(t), name, path, t.get(f"{_TABLE}name") or "") for t in tables]
    if not (slides := list(body.iter(f"{_DRAW}page"))):
        blocks = Blocks()
        _add(blocks, body)
        return [blocks.document(name, path)]
    found = []
    for number, slide in enumerate(slides, 1):
        blocks = Blocks()
        _add(blocks, slide)
        found.append(blocks.document(name, path, f"slide {number}", number))
    return found


def _add(blocks: Blocks, part: Any) -> None:
    for child in part.iterchildren():
        if not isinstance(child.tag, str) or child.tag in _UNSAID:
            continue
        if child.tag == f"{_TEXT}h":
            blocks.heading(_said(child))
        elif child.tag == f"{_TEXT}p":
            blocks.text(_said(child))
        elif child.tag == f"{_TABLE}table":
            blocks.table(_grid(child))
        else:
            _add(blocks, child)


def _grid(table: Any) -> Grid:
    head = f"{_TABLE}table-header-rows"
    header = [_cells(row) for part in table.iter(head) for row in part.iter(f"{_TABLE}table-row")]
    rows = _rows(table)[len(header) :]
    return marked(header, rows) if header else guessed(rows)


def _rows(table: Any) -> list[list[str]]:
    return [
        cells
        for row in table.iter(f"{_TABLE}table-row")
        for cells in [_cells(row)] * min(int(row.get(f"{_TABLE}number-rows-repeated") or 1), 2)
    ]


def _cells(row: Any) -> list[str]:
    cells: list[str] = []
    for cell in row.iterchildren(f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
        times = int(cell.get(f"{_TABLE}number-columns-repeated") or 1)
        said = one_line(" ".join(_said(p) for p in cell.iter(*_PARAGRAPHS)))
        cells += [said] * min(times, _MOST)
    return cells


def _said(part: Any) -> str:
    """The text of a paragraph, with spaces and line ends, and what is in frames and notes."""
    said = [part.text or ""]
    for child in part.iterchildren():
        if child.tag == f"{_TEXT}s":
            said.append(" " * min(int(child.get(f"{_TEXT}c") or 1), _MOST))
        elif child.tag in (f"{_TEXT}tab", f"{_TEXT}line-break"):
            said.append("\t" if child.tag.endswith("tab") else "\n")
        elif child.tag == f"{_TEXT}note":
            notes = (_said(p) for p in child.iter(*_PARAGRAPHS))
            said.append(f" ({' '.join(notes)})")
        elif child.tag != f"{_OFFICE}annotation" and isinstance(child.tag, str):
            inner = _said(child)
            said.append(f"\n{inner}\n" if child.tag in _PARAGRAPHS else inner)
        said.append(child.tail or "")
    return "".join(said)
