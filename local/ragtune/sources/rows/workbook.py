"""XLSX: the first sheet that has rows, its cells as they are shown."""

import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from ragtune.core.errors import RecordsError
from ragtune.sources.rows.base import Row, line

_FIXED = re.compile(r"(?P<grouped>#,##)?0(?:\.(?P<digits>0+))?(?P<percent>%)?")


def rows(path: Path, notes: list[str]) -> Iterator[Row]:
    """The rows by the names in the first one; ``notes`` gets the sheets that are left out.

    Raises RecordsError for a file that is broken, and for one without a row below the first.
    """
    import openpyxl

    try:
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")  # of styles and extensions that have no cells
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            try:
                yield from _of_book(path.name, book, notes)
            finally:
                book.close()
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, TypeError, SyntaxError) as error:
        raise RecordsError(f"{path}: cannot be read as XLSX: {line(error)}") from None


def _of_book(name: str, book: Any, notes: list[str]) -> Iterator[Row]:
    """The rows of the first sheet that has some; the others with cells are noted."""
    read = ""
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # some programs write them too small
        cells = (row for row in sheet.iter_rows() if any(c.value is not None for c in row))
        header = next(cells, None)
        if header is None:
            continue
        if read:
            notes.append(f"sheet {sheet.title!r} is left out: {read!r} is read")
            continue
        first = next(cells, None)
        if first is None:
            notes.append(f"sheet {sheet.title!r} is left out: one row alone")
            continue
        read = sheet.title
        names = ["" if cell.value is None else shown(cell).strip() for cell in header]
        where = f"{name} sheet {sheet.title!r}" if len(book.worksheets) > 1 else name
        yield _row(where, names, first)
        for row in cells:
            yield _row(where, names, row)


def _row(where: str, names: Sequence[str], cells: Sequence[Any]) -> Row:
    number = next((cell.row for cell in cells if getattr(cell, "row", None)), 0)
    values = {
        column: "" if cell.value is None else shown(cell)  # as in CSV
        for column, cell in zip(names, cells, strict=False)
        if column
    }
    return Row(f"{where} row {number}", values)


def shown(cell: Any) -> str:
    """A cell's value as the sheet shows it, where its format is one of the plain ones."""
    value = cell.value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, str(cell.number_format or "General"))
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _number(value: float, form: str) -> str:
    match = _FIXED.fullmatch(form)
    if match is None:
        return repr(value)
    digits, grouped = len(match["digits"] or ""), "," if match["grouped"] else ""
    if match["percent"]:
        return f"{100 * value:{grouped}.{digits}f}%"
    return f"{value:{grouped}.{digits}f}"
