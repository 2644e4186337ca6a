"""Spreadsheets, by calamine: a document a sheet, a line of ``column: value`` a row."""

import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ragtune.core.errors import DocumentsError
from ragtune.sources.readers import archive
from ragtune.sources.readers.base import Document
from ragtune.sources.readers.blocks import Blocks
from ragtune.sources.readers.table import guessed


def read(path: Path, name: str) -> list[Document]:
    """The sheets that are shown, each with its name as the place.

    Blank rows divide a sheet into tables; a row of one cell above a table is its caption. Formulas
    are read by the values that were saved with them.
    """
    import python_calamine as calamine

    if path.suffix.lower() != ".xls":
        archive.check(path)
    with calamine.CalamineWorkbook.from_path(path) as book:
        shown = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.visible == calamine.SheetVisibleEnum.Visible
            and sheet.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        found = [_sheet(book.get_sheet_by_name(one).to_python(), name, path, one) for one in shown]
    if not any(document.text for document in found):
        raise DocumentsError(f"holds no text in {len(found)} sheets")
    return found


def _sheet(values: Sequence[Sequence[Any]], name: str, path: Path, title: str) -> Document:
    blocks = Blocks()
    for rows in _tables([[_said(value) for value in row] for row in values]):
        captions = []
        while rows and len([cell for cell in rows[0] if cell]) == 1 and len(rows) > 1:
            captions.append(" ".join(rows.pop(0)).strip())
        blocks.table(guessed(rows, usual=True), "\n".join(captions))
    return blocks.document(name, f"{path.stem}: {title}", title)


def _tables(rows: Sequence[Sequence[str]]) -> Iterator[list[list[str]]]:
    """The rows between blank ones, without columns that are blank in all of them."""
    table: list[Sequence[str]] = []
    for row in [*rows, []]:
        if any(row):
            table.append(row)
        elif table:
            width = max(map(len, table))
            used = [n for n in range(width) if any(n < len(row) and row[n] for row in table)]
            yield [[row[n] if n < len(row) else "" for n in used] for row in table]
            table = []


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.15g}" if abs(value) < 1e15 else str(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ", "minutes" if not value.second else "seconds")
    return "" if value is None else str(value).strip()
