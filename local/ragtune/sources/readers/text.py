"""Plain text, and what is written in it: Markdown, reStructuredText, AsciiDoc, Org."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ragtune.core.errors import DocumentsError
from ragtune.sources.readers import pipes
from ragtune.sources.readers.base import Document, Table

_MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd"})
_SIGNS = {".adoc": "=", ".asciidoc": "=", ".org": "*"}
"""What a heading begins with, by suffix."""
_UNDERLINE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}\s*")


def read(path: Path, name: str) -> list[Document]:
    """The text, with its headings; a first line that is one is the title.

    Tables of bars, in Markdown and Org, are rows of ``column: value``.
    """
    text, kind = decode(path.read_bytes()), path.suffix.lower()
    tables: tuple[Table, ...] = ()
    if kind in _MARKDOWN or kind == ".org":
        text, tables = pipes.read(text)
    headings = [one for one in _headings(text, kind) if _outside(tables, one[0])]
    first = next((line for line in text.splitlines() if line.strip()), "")
    title = first.lstrip("#").strip() if first.startswith("#") else ""
    if kind not in (*_MARKDOWN, ".txt", ".text", ".log") and headings:
        title = headings[0][1]
    title = title or path.stem.replace("-", " ")
    return [Document(name, text, title, headings=tuple(headings), tables=tables)]


def decode(data: bytes) -> str:
    """UTF-8, with or without its mark, or UTF-16 with its mark; nothing is guessed.

    Raises DocumentsError for what is neither.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\0" in data:
        raise DocumentsError("cannot be read: binary, not text")
    else:
        encoding = "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DocumentsError(
            f"cannot be read: not {encoding.upper().removesuffix('-SIG')}: byte "
            f"0x{data[error.start]:02x} at {error.start}; save it as UTF-8"
        ) from None


def _headings(text: str, kind: str) -> Iterable[tuple[int, str]]:
    if kind in _MARKDOWN:
        return _markdown_headings(text)
    if kind in _SIGNS:
        return _signed_headings(text, _SIGNS[kind])
    return _underlined_headings(text) if kind in (".rst", ".rest") else ()


def _outside(tables: Sequence[Table], offset: int) -> bool:
    return not any(table.start <= offset < table.end for table in tables)


def _markdown_headings(text: str) -> Iterable[tuple[int, str]]:
    """ATX headings outside of code fences."""
    fenced = False
    offset = 0
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced and (found := re.match(r" {0,3}#{1,6}[ \t]+(.*)", line.rstrip())):
            yield offset, found[1].rstrip(" \t#")
        offset += len(line)


def _signed_headings(text: str, sign: str) -> Iterable[tuple[int, str]]:
    """Headings that begin with some of a sign and a space, as in AsciiDoc and Org."""
    for found in re.finditer(rf"^{re.escape(sign)}{{1,6}}[ \t]+(\S.*)$", text, re.M):
        yield found.start(), found[1].rstrip(" \t")


def _underlined_headings(text: str) -> Iterable[tuple[int, str]]:
    """Headings of reStructuredText: a line, and below it one of signs that is as long."""
    offset, before, above = 0, "", ""
    for line in text.splitlines(keepends=True):
        titled = (
            before.strip()
            and not before[0].isspace()
            and not _UNDERLINE.fullmatch(before.rstrip())
            and (not above.strip() or _UNDERLINE.fullmatch(above.rstrip()))
        )
        if titled and _UNDERLINE.fullmatch(line.rstrip()) and len(line) >= len(before.rstrip()):
            yield offset - len(before), before.strip()
        offset += len(line)
        above, before = before, line
