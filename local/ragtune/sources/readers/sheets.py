"""Workbooks (XLSX), by openpyxl: a document a sheet, a line of ``column: value`` a row."""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from ragtune.core.errors import DocumentsError
from ragtune.sources.readers import archive
from ragtune.sources.readers.base import Document
from ragtune.sources.readers.blocks import Blocks
from ragtune.sources.readers.table import guessed
from ragtune.sources.rows.workbook import shown


def read(path: Path, name: str) -> list[Document]:
    """The sheets that are shown, each with its name as the place; cells as the sheet shows them.

    Formulas are read by the values that were saved with them.
    """
    import openpyxl

    archive.check(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions that have no cells
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            found = []
            for sheet in book.worksheets:
                if sheet.sheet_state == "visible":
                    sheet.reset_dimensions()  # some programs write them too small
                    rows = [["" if c.value is None else shown(c) for c in r] for r in sheet.rows]
                    found.append(document(rows, name, path, sheet.title))
        finally:
            book.close()
    if not any(one.text for one in found):
        raise DocumentsError(
            f"holds no text in {len(found)} {'sheet' if len(found) == 1 else 'sheets'}"
        )
    return found


def document(rows: Sequence[Sequence[str]], name: str, path: Path, title: str) -> Document:
    """A sheet's document.

    Blank rows divide a sheet into tables; a row of one cell above a table is its caption.
    """
    blocks = Blocks()
    for table in _tables(rows):
        captions = []
        while len(table) > 1 and sum(map(bool, table[0])) == 1:
            captions.append("".join(table.pop(0)))
        blocks.table(guessed(table, usual=True), "\n".join(captions))
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
