"""Word's documents: text, tables, headers and footers, with the headings."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ragtune.sources.readers import archive
from ragtune.sources.readers.base import Document, one_line
from ragtune.sources.readers.blocks import Blocks
from ragtune.sources.readers.table import Grid, guessed, marked

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
"""The same drawing once more, for old programs."""
_HEADING = re.compile(r"(heading|title)\b", re.I)


def read(path: Path, name: str) -> list[Document]:
    """Headers, then the body with a table's rows as ``column: value``, then footers.

    A heading is a paragraph whose style is one of Word's headings, by its English name, which
    files in every language keep.
    """
    import docx

    archive.check(path)
    document = docx.Document(str(path))
    styles = {style.style_id: style.name or "" for style in document.styles}
    blocks = Blocks()
    for text in _edges(document, "header"):
        blocks.text(text)
    for block in _blocks(document.element.body):
        style = block.find(f"{_W}pPr/{_W}pStyle")
        named = styles.get(style.get(f"{_W}val"), "") if style is not None else ""
        if block.tag == f"{_W}tbl":
            blocks.table(_grid(block))
        elif _HEADING.match(named):
            blocks.heading(_said(block))
        else:
            blocks.text(_said(block))
    for text in _edges(document, "footer"):
        blocks.text(text)
    return [blocks.document(name, path)]


def _edges(document: Any, kind: str) -> Iterable[str]:
    """The different headers or footers of all sections."""
    found: dict[str, None] = {}
    for section in document.sections:
        for which in (kind, f"first_page_{kind}", f"even_page_{kind}"):
            edge = getattr(section, which)
            if not edge.is_linked_to_previous:
                found["\n".join(_all_said(edge._element))] = None
    return found


def _blocks(part: Any) -> Iterator[Any]:
    """Paragraphs and tables in order, also those inside of content controls."""
    for child in part.iterchildren():
        if child.tag in (f"{_W}p", f"{_W}tbl"):
            yield child
        elif child.tag != f"{_W}sectPr":
            yield from _blocks(child)


def _all_said(part: Any) -> list[str]:
    return [_row_lines(b) if b.tag == f"{_W}tbl" else _said(b) for b in _blocks(part)]


def _row_lines(table: Any) -> str:
    """A table in a header or in a cell of another: a row a line."""
    return "\n".join(_grid(table).lines())


def _grid(table: Any) -> Grid:
    """The rows; cells over several rows are in each of them, as are their header's over columns."""
    rows: list[list[str]] = []
    heads: list[bool] = []
    for row in _children(table, "tr"):
        head = row.find(f"{_W}trPr/{_W}tblHeader") is not None
        cells: list[str] = []
        for cell in _children(row, "tc"):
            said = one_line(" ".join(_all_said(cell)))
            merged = cell.find(f"{_W}tcPr/{_W}vMerge")
            if merged is not None and merged.get(f"{_W}val") != "restart" and rows:
                said = rows[-1][len(cells)] if len(cells) < len(rows[-1]) else said
            span = cell.find(f"{_W}tcPr/{_W}gridSpan")
            more = int(span.get(f"{_W}val") or 1) - 1 if span is not None else 0
            cells += [said, *[said if head else ""] * more]
        rows.append(cells)
        heads.append(head)
    count = next((n for n, head in enumerate(heads) if not head), 0)
    return marked(rows[:count], rows[count:]) if count else guessed(rows)


def _children(part: Any, tag: str) -> Iterator[Any]:
    """The rows or cells of a table, also those inside of content controls, no nested table's."""
    for child in part.iterchildren():
        if child.tag == f"{_W}{tag}":
            yield child
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent"):
            yield from _children(child, tag)


def _said(part: Any) -> str:
    """The text of a paragraph, also in links, insertions, text boxes; what was deleted is not."""
    said = []
    for child in part.iterchildren():
        if child.tag == f"{_W}t":
            said.append(child.text or "")
        elif child.tag in _SIGNS:
            said.append(_SIGNS[child.tag])
        elif child.tag == f"{_W}p":
            said.append(f"\n{_said(child)}\n")
        elif child.tag not in (_FALLBACK, f"{_W}pPr"):
            said.append(_said(child))
    return "".join(said)


_SIGNS = {
    f"{_W}tab": "\t",
    f"{_W}br": "\n",
    f"{_W}cr": "\n",
    f"{_W}noBreakHyphen": "-",
}
"""What else in a run is text."""
