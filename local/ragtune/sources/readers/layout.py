"""Where the pieces of a printed page are → its text in the order of reading, with its tables.

A page says where its pieces are and not what they are. Rows of at least two pieces with gaps
between them are a table where their pieces stand in columns and are short, and columns of prose
where they are long.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ragtune.sources.readers.blocks import Blocks
from ragtune.sources.readers.table import Grid, guessed, is_number, marked

_ROWS = 3
"""Rows from which pieces in columns are a table."""
_PROSE_ROWS = 4
_PROSE_WORDS = 3.0
"""Words a piece, on average, from which a column is prose."""
_GAP = 1.0
"""Space between two cells, in heights of a line; words are nearer to each other."""


@dataclass
class Piece:
    """Text on a page and its box, in points from the lower left; ``order`` is that of drawing."""

    left: float
    bottom: float
    right: float
    top: float
    text: str
    order: int
    value: bool = False
    """Whether it is what somebody filled into a form."""

    @property
    def height(self) -> float:
        """Of the box."""
        return self.top - self.bottom


@dataclass
class _Run:
    """Rows that belong together: a table, or columns of prose."""

    rows: list[list[Piece]]
    columns: list[tuple[float, float]] = field(default_factory=list)


def arrange(pieces: Sequence[Piece]) -> Blocks | None:
    """The page in the order of reading; None where it can stay in the order of drawing."""
    rows = _rows(pieces)
    runs = [run for run in _runs(rows) if _fit(run)]
    filled = any(piece.value for piece in pieces)
    prose = [run for run in runs if _is_prose(run)]
    tables = [run for run in runs if run not in prose and _is_table(run)]
    prose = [run for run in prose if _alternates(run)]
    if not tables and not prose and not filled:
        return None
    of = {id(p): run for run in [*tables, *prose] for row in run.rows for p in row}
    row_of = {id(p): n for n, row in enumerate(rows) for p in row}
    blocks, done, line = Blocks(gap="\n"), set(), list[Piece]()
    for piece in sorted(pieces, key=lambda p: p.order):
        run = of.get(id(piece))
        if line and (run or row_of[id(piece)] != row_of[id(line[-1])]):
            blocks.text(_joined(line))
            line = []
        if run is None:
            line.append(piece)
        elif id(run) not in done:
            done.add(id(run))
            if run in tables:
                blocks.table(_grid(run))
            else:
                _add_prose(blocks, run)
    blocks.text(_joined(line))
    return blocks


def _joined(line: Sequence[Piece]) -> str:
    return " ".join(piece.text.strip() for piece in line)


def _rows(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Pieces at the same height from left to right, rows from top to bottom."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda p: -(p.top + p.bottom)):
        last = rows[-1][0] if rows else None
        shared = min(last.top, piece.top) - max(last.bottom, piece.bottom) if last else 0
        if last and shared > 0.5 * min(last.height, piece.height):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda p: p.left) for row in rows]


def _cells(row: Sequence[Piece]) -> list[list[Piece]]:
    """The pieces of a row between wide gaps."""
    cells: list[list[Piece]] = []
    for piece in row:
        if cells and piece.left - cells[-1][-1].right < _GAP * max(piece.height, 4):
            cells[-1].append(piece)
        else:
            cells.append([piece])
    return cells


def _runs(rows: Sequence[list[Piece]]) -> list[_Run]:
    """Rows with at least two cells, one below the other; a row of one may be between two."""
    runs: list[_Run] = []
    run: list[list[Piece]] = []
    for n, row in enumerate([*rows, []]):
        several = len(_cells(row)) > 1
        near = not run or not row or run[-1][0].bottom - row[0].top < 2.5 * row[0].height
        follows = n + 1 < len(rows) and len(_cells(rows[n + 1])) > 1
        if near and (several or (run and row and follows)):
            run.append(row)
            continue
        if len(run) >= _ROWS:
            runs.append(_Run(run))
        run = [row] if several else []
    return runs


def _fit(run: _Run) -> bool:
    """Find the columns; False where the cells stand in none."""
    cut = [_cells(row) for row in run.rows]
    most = max(map(len, cut))
    spans = sorted(
        (cell[0].left, cell[-1].right)
        for row in cut
        if len(row) >= max(2, most - 1)
        for cell in row
    )
    columns: list[tuple[float, float]] = []
    for left, right in spans:
        if columns and left < columns[-1][1]:
            columns[-1] = (columns[-1][0], max(right, columns[-1][1]))
        else:
            columns.append((left, right))
    run.columns = columns
    return 2 <= len(columns) <= most + 1


def _column(run: _Run, piece: Piece) -> int:
    """The column that a piece shares most with, or is nearest to."""
    shared = [min(right, piece.right) - max(left, piece.left) for left, right in run.columns]
    return shared.index(max(shared))


def _texts(run: _Run) -> list[list[str]]:
    """The rows as texts by column; a header over several columns is in each of them."""
    table = []
    for row in run.rows:
        cells = [""] * len(run.columns)
        for piece in row:
            over = [
                n
                for n, (left, right) in enumerate(run.columns)
                if min(right, piece.right) - max(left, piece.left) > 0.5 * (right - left)
            ]
            for n in over if len(over) > 1 else [_column(run, piece)]:
                cells[n] = f"{cells[n]} {piece.text.strip()}".strip()
        table.append(cells)
    return table


def _is_prose(run: _Run) -> bool:
    if len(run.rows) < _PROSE_ROWS or len(run.columns) > 3:
        return False
    for column in zip(*_texts(run), strict=True):
        said = [text for text in column if text]
        words = sum(len(text.split()) for text in said) / max(1, len(said))
        unspaced = sum(len(text) for text in said) / max(1, len(said)) > 15 and words < 2
        if not (words >= _PROSE_WORDS or unspaced) or sum(map(is_number, said)) > len(said) / 3:
            return False
    return True


def _is_table(run: _Run) -> bool:
    rows = [[text for text in row if text] for row in _texts(run)]
    full = sum(len(row) > 1 for row in rows)
    lengths = sorted(len(text) for row in rows for text in row)
    return full >= _ROWS and lengths[len(lengths) // 2] < 40


def _alternates(run: _Run) -> bool:
    """Whether the page was drawn line by line across the columns."""
    drawn = sorted((piece for row in run.rows for piece in row), key=lambda p: p.order)
    turns = sum(a != b for a, b in pairwise(_column(run, piece) for piece in drawn))
    return turns >= len(run.rows)


def _grid(run: _Run) -> Grid:
    table = _texts(run)
    head = next((n for n, row in enumerate(table) if row[0]), 0)
    return marked(table[:head], table[head:]) if 0 < head < len(table) else guessed(table)


def _add_prose(blocks: Blocks, run: _Run) -> None:
    for n in range(len(run.columns)):
        lines = [_joined([p for p in row if _column(run, p) == n]) for row in run.rows]
        blocks.text("\n".join(filter(None, lines)))
