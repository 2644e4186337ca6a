"""CSV and TSV: the delimiter is seen from the text, quoted cells may hold line breaks."""

import csv
import io
import itertools
from collections.abc import Iterator, Sequence

from ragtune.core.errors import RecordsError
from ragtune.core.text.shortening import shortened
from ragtune.sources.rows.base import BadRow, Row

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LONGEST = 1 << 27
"""Characters that a cell may have."""
TRIED = 50
"""Rows from which the delimiter is seen."""


def rows(name: str, text: str, notes: list[str]) -> tuple[str, Iterator[Row]]:
    """What kind of table a text is, in words, and its rows by the names in its first line.

    ``notes`` gets, once all rows were read, how many cells had no name above them.

    Raises RecordsError where its first line does not name columns.
    """
    csv.field_size_limit(LONGEST)
    skipped = 0
    if text[:4].lower() == "sep=" and len(text) > 4:  # Excel's own first line
        delimiter, skipped = text[4], 1
        text = text[text.find("\n") + 1 :] if "\n" in text else ""
    else:
        delimiter = sniffed(text)
    quoted = delimiter != "\t" or _is_whole(text, delimiter)
    reader = _reader(text, delimiter, quoted=quoted)
    try:
        header = next((row for row in reader if any(cell.strip() for cell in row)), [])
    except csv.Error as error:
        line = getattr(reader, "line_num", 0) + skipped
        raise RecordsError(
            f"{name}:{line}: the names of the columns are not CSV: {error}"
        ) from None
    names = [cell.strip().lstrip("\ufeff") for cell in header]
    seen: set[str] = set()
    for one in filter(None, names):
        if one in seen:
            raise RecordsError(f"{name}: two columns are named {shortened(one)!r}; rename one")
        seen.add(one)
    kind = f"a table with {DELIMITERS.get(delimiter, repr(delimiter))}"
    return kind, _rows(name, names, reader, skipped, notes)


def sniffed(text: str) -> str:
    """The delimiter under which the first rows have the same count of cells, and most of them."""

    def fit(delimiter: str) -> tuple[float, int]:
        try:
            found = [r for r in itertools.islice(_reader(text, delimiter), TRIED) if any(r)]
        except csv.Error:
            found = list(itertools.islice(_reader(text, delimiter, quoted=False), 1))
        width = len(found[0]) if found else 0
        if width < 2:
            return 0, 0
        return sum(len(row) == width for row in found) / len(found), width

    return max(DELIMITERS, key=fit)


def _reader(text: str, delimiter: str, *, quoted: bool = True) -> Iterator[list[str]]:
    lines = io.StringIO(text, newline="")
    if not quoted:
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _is_whole(text: str, delimiter: str) -> bool:
    """Whether quotes mean what they mean in CSV; in a TSV they may be letters like others."""
    try:
        found = [len(row) for row in _reader(text, delimiter) if row]
    except csv.Error:
        return False
    return len(set(found)) <= 1


def _rows(
    name: str, names: Sequence[str], reader: Iterator[list[str]], skipped: int, notes: list[str]
) -> Iterator[Row]:
    nameless = [number for number, one in enumerate(names) if not one]
    lost = 0
    while True:
        line: int = getattr(reader, "line_num", 0) + skipped + 1
        where = f"{name}:{line}"
        try:
            cells = next(reader)
        except StopIteration:
            if lost:
                notes.append(f"rows with values in columns without a name, left out there: {lost}")
            return
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise RecordsError(
                    f"{where}: a quotation mark opens a cell and none closes it; "
                    "all that follows would be left out"
                ) from None
            yield Row(where, BadRow(f"not CSV: {error}"))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        while len(cells) > len(names) and not cells[-1].strip():
            cells.pop()
        if len(cells) != len(names):
            yield Row(where, BadRow(f"{len(cells)} cells, where the first line has {len(names)}"))
        else:
            lost += any(cells[number].strip() for number in nameless)
            yield Row(where, {n: cell for n, cell in zip(names, cells, strict=True) if n})
