"""A piece of a file's text, and what a reader is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Table:
    """Where in a text the rows of a table are, a line each, from ``start`` to ``end``.

    ``caption`` goes with every chunk of them: what the table is of, and the names of its columns
    where the rows do not say them.
    """

    start: int
    end: int
    caption: str = ""


@dataclass(frozen=True)
class Document:
    """A piece of text with its place: ``name`` is the file's path in the folder.

    A PDF gives one document a page; ``page`` counts from 1 and ``locator`` says it as the file
    labels it (``p. iii``). Elsewhere ``headings`` holds each heading with the offset in ``text``
    where it is, and a chunk's locator is the heading that it is under. ``tables`` are in order and
    do not overlap. ``left_out`` says what of the file is not in the text, and why.
    """

    name: str
    text: str
    title: str = ""
    locator: str = ""
    page: int | None = None
    headings: tuple[tuple[int, str], ...] = ()
    tables: tuple[Table, ...] = ()
    left_out: tuple[str, ...] = ()

    def locator_at(self, start: int, end: int) -> str:
        """Where the characters from ``start`` to ``end`` are: the page, or the heading.

        The heading is the last one at or before ``start``, or else the first one before ``end``.
        """
        if self.locator or not self.headings:
            return self.locator
        above = [title for offset, title in self.headings if offset <= start]
        inside = [title for offset, title in self.headings if start < offset < end]
        return (above[-1:] or inside[:1] or [""])[0]


Reader = Callable[[Path, str], list[Document]]
"""Reads a file, given its path and the name of its documents.

Raises DocumentsError with the reason alone, or whatever its library raises on a broken file.
"""


def one_line(text: str) -> str:
    """The words with one space between them."""
    return " ".join(text.split())
