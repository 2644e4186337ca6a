"""A table's rows as lines of ``column: value | column: value``, so that each says all of itself."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ragtune.sources.readers.base import one_line

BAR = " | "
_NUMBER = re.compile(r"[^\w]*\d[\d.,:/%\s-]*\W*(?:[^\W\d_]{1,4})?\W*")
_LABEL = 60
"""Characters up to which a cell may be the name of a column."""


@dataclass(frozen=True)
class Grid:
    """Rows of cells; ``header`` names the columns, and is empty where nothing says their names."""

    rows: Sequence[Sequence[str]]
    header: Sequence[str] = ()
    columns: str = ""
    """A first row that may be a header or not, as a line for the caption."""

    def lines(self) -> list[str]:
        """A line for each row that has a value; cells without one are left out."""
        names = [one_line(name).replace(": ", ", ").rstrip(":") for name in self.header]
        return [line for row in self.rows if (line := _line(names, row))]


def _line(names: Sequence[str], row: Sequence[str]) -> str:
    cells = [one_line(cell).replace(BAR, "|") for cell in row]
    if not names:
        if len(cells) == 2 and all(cells) and len(cells[0]) <= _LABEL and ": " not in cells[0]:
            return f"{cells[0].rstrip(':')}: {cells[1]}"
        return BAR.join(filter(None, cells))
    named = [*names, *[""] * (len(cells) - len(names))]
    pairs = [(n.replace(BAR, "|"), c) for n, c in zip(named, cells, strict=False) if c]
    return BAR.join(f"{name}: {cell}" if name else cell for name, cell in pairs)


def marked(header: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> Grid:
    """A table whose file says which rows are its header; several are read from top to bottom."""
    width = max(map(len, [*header, *rows]), default=0)
    names = []
    for column in range(width):
        parts = (one_line(row[column]) for row in header if column < len(row))
        names.append(" ".join(dict.fromkeys(filter(None, parts))))
    return Grid(rows, names if any(names) else ())


def guessed(rows: Iterable[Sequence[str]], *, usual: bool = False) -> Grid:
    """A table whose file does not say whether it has a header.

    The first row is one where its cells are short, different and no numbers, and there is a number
    below one; without numbers, where it is ``usual`` for this kind of file. Of two columns the
    first may name the rows instead, so without numbers the first row only goes along as a caption.
    """
    table = [[one_line(cell) for cell in row] for row in rows]
    table = [row for row in table if any(row)]
    if len(table) < 2 or (width := max(map(len, table))) < 2:
        return Grid(table)
    first, *rest = table
    first = first + [""] * (width - len(first))
    names = [name for name in first[1:] if name] + ([first[0]] if first[0] else [])
    named = len(names) >= width - 1 and len(set(names)) == len(names)
    if not named or any(len(name) > _LABEL for name in names) or first[0].endswith(":"):
        return Grid(table)
    numbers = [name for name in names if is_number(name)]
    below = any(
        is_number(row[column]) and not is_number(first[column])
        for row in rest
        for column in range(min(len(row), width))
    )
    if numbers and first[0] and not is_year(numbers):
        return Grid(table)
    if usual or not first[0] or (below and (width > 2 or _all_numbers(rest))):
        return Grid(rest, first)
    return Grid(rest, first) if width > 2 else Grid(table, columns=BAR.join(names and first))


def is_number(cell: str) -> bool:
    """Whether a cell is a number, a date, a time or an amount."""
    return bool(_NUMBER.fullmatch(cell))


def is_year(cells: Iterable[str]) -> bool:
    """Whether all are years, which name columns."""
    return all(re.fullmatch(r"(?:FY)?(?:19|20)\d\d", cell) for cell in cells)


def _all_numbers(rows: Iterable[Sequence[str]]) -> bool:
    """Whether the second of two columns holds nothing but numbers, and the first some words."""
    rows = list(rows)
    second = all(is_number(row[1]) for row in rows if len(row) > 1 and row[1])
    return second and not all(is_number(row[0]) for row in rows)
