"""A row of a file or a data set, before it is a record."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


class BadRow(ValueError):
    """Why a row cannot be read."""


class Twice(dict[str, Any]):
    """A row in which a name has two values, of which the last one is kept; ``name`` is that one."""

    def __init__(self, values: Mapping[str, Any], name: str) -> None:
        super().__init__(values)
        self.name = name


@dataclass(frozen=True)
class Row:
    """A row: where it is, and its values by column; or the BadRow that says why it has none.

    Texts are as they are written, numbers in JSON and CSV too; None is an empty cell.
    """

    where: str
    values: Any


@dataclass
class Table:
    """What a file or a data set holds: its rows, read once, and how they were found.

    ``kind`` is what it is in words. ``encoding`` is that of a text file where it is not UTF-8, else
    empty. ``notes`` are what else is to be known of it, complete once all rows were read.
    """

    name: str
    kind: str
    rows: Iterator[Row]
    encoding: str = ""
    notes: list[str] = field(default_factory=list)


def line(error: BaseException) -> str:
    """What an exception says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__
