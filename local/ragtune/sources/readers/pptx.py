"""PowerPoint: a document a slide, with its tables and notes."""

import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from ragtune.sources.readers import archive
from ragtune.sources.readers.base import Document, one_line
from ragtune.sources.readers.blocks import Blocks
from ragtune.sources.readers.table import Grid, guessed, marked

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_FURNITURE = frozenset({"sldNum", "dt", "ftr", "hdr"})
"""Placeholders that are the same on every slide."""
_SHOW = "ppt/presentation.xml"


def read(path: Path, name: str) -> list[Document]:
    """The slides in the order of the show, hidden ones left out, each with its number."""
    with archive.opened(path) as file:
        links = _links(file, _SHOW)
        order = archive.xml(file.read(_SHOW)).iter(f"{_P}sldId")
        parts = [links[slide.get(f"{_R}id")][1] for slide in order]
        return [
            document
            for number, part in enumerate(parts, 1)
            if (document := _slide(file, part, path, name, number)) is not None
        ]


def _slide(file: ZipFile, part: str, path: Path, name: str, number: int) -> Document | None:
    root = archive.xml(file.read(part))
    if root.get("show") == "0":
        return None
    blocks = Blocks()
    title = _add(blocks, root)
    for kind, target in _links(file, part).values():
        if kind.endswith("/notesSlide") and target in file.namelist():
            _add(blocks, archive.xml(file.read(target)))
        elif kind.endswith("/diagramData") and target in file.namelist():
            blocks.text(_paragraphs(archive.xml(file.read(target))))
    return blocks.document(name, title or path, f"slide {number}", number)


def _add(blocks: Blocks, root: Any) -> str:
    """Add the shapes of a slide or of its notes; return its title."""
    title = ""
    for shape in _shapes(root):
        if shape.tag == f"{_A}tbl":
            blocks.table(_grid(shape))
            continue
        kind = next((one.get("type", "") for one in shape.iter(f"{_P}ph")), "")
        if kind in _FURNITURE:
            continue
        said = _paragraphs(shape)
        if kind in ("title", "ctrTitle") and said and not title:
            title = one_line(said)
            blocks.heading(title)
        else:
            blocks.text(said)
    return title


def _shapes(part: Any) -> Iterator[Any]:
    """Shapes with text and tables in order, also those in groups."""
    for child in part.iterchildren():
        if child.tag in (f"{_P}sp", f"{_A}tbl"):
            yield child
        elif child.tag != _FALLBACK and isinstance(child.tag, str):
            yield from _shapes(child)


def _paragraphs(part: Any) -> str:
    lines = []
    for paragraph in part.iter(f"{_A}p"):
        runs = [
            one.text or "" if one.tag == f"{_A}t" else "\n"
            for one in paragraph.iter(f"{_A}t", f"{_A}br")
        ]
        lines.append("".join(runs).strip())
    return "\n".join(filter(None, lines))


def _grid(table: Any) -> Grid:
    rows = [
        [one_line(_paragraphs(cell)) for cell in row.iterchildren(f"{_A}tc")]
        for row in table.iterchildren(f"{_A}tr")
    ]
    properties = table.find(f"{_A}tblPr")
    if properties is not None and properties.get("firstRow") == "1" and len(rows) > 1:
        return marked(rows[:1], rows[1:])
    return guessed(rows)


def _links(file: ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """The kind and the path of what a part refers to, by the name of the reference."""
    folder, _, last = part.rpartition("/")
    own = f"{folder}/_rels/{last}.rels"
    if own not in file.namelist():
        return {}
    found = {}
    for one in archive.xml(file.read(own)):
        target = one.get("Target") or ""
        path = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
        found[one.get("Id")] = (one.get("Type") or "", posixpath.normpath(path))
    return found
