"""Blocks of a file in order, headings, paragraphs and tables, as one text that knows its parts."""

from collections.abc import Sequence
from pathlib import Path

from ragtune.sources.readers.base import Document, Table, one_line
from ragtune.sources.readers.table import Grid


class Blocks:
    """Collects the blocks of a document; ``gap`` is what stands between two of them."""

    def __init__(self, gap: str = "\n\n") -> None:
        self._gap, self._offset = gap, 0
        self._texts: list[str] = []
        self._headings: list[tuple[int, str]] = []
        self._tables: list[Table] = []

    def text(self, text: str) -> None:
        """Add a paragraph, if it says anything."""
        if said := text.strip():
            self._texts.append(said)
            self._offset += len(said) + len(self._gap)

    def heading(self, text: str) -> None:
        """Add a heading."""
        if said := one_line(text):
            self._headings.append((self._offset, said))
            self.text(said)

    def table(self, grid: Grid, caption: str = "") -> None:
        """Add a table; its caption is a line before it."""
        self.rows(grid.lines(), caption, grid.columns)

    def rows(self, lines: Sequence[str], caption: str = "", columns: str = "") -> None:
        """Add a table whose rows are lines already; ``columns`` goes with each chunk of them."""
        self.text(caption)
        if lines := [line for line in lines if line]:
            start = self._offset
            self.text("\n".join(lines))
            heading = self._headings[-1][1] if self._headings else ""
            said = dict.fromkeys(filter(None, [heading, caption, columns]))
            self._tables.append(Table(start, self._offset - len(self._gap), "\n".join(said)))

    def document(
        self,
        name: str,
        title: str | Path = "",
        locator: str = "",
        page: int | None = None,
        left_out: Sequence[str] = (),
    ) -> Document:
        """What was collected; a path as the title stands for its name."""
        return Document(
            name,
            self._gap.join(self._texts),
            title.stem if isinstance(title, Path) else one_line(title),
            locator,
            page,
            tuple(self._headings),
            tuple(self._tables),
            tuple(left_out),
        )
