"""HTML: the text that a browser would show."""

import codecs
from pathlib import Path
from typing import Any

from ragtune.core.errors import DocumentsError
from ragtune.sources.readers.base import Document, one_line
from ragtune.sources.readers.text import decode

_HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]
_BLOCKS = [*_HEADINGS, "p", "div", "section", "article", "li", "tr", "td", "th", "br", "pre", "dd"]
_MARK = "\0"
"""Put before a heading's text, to find it again in the text of the whole."""


def read(path: Path, name: str) -> list[Document]:
    """The text of the body with a line for each block, scripts and styles left out."""
    from bs4 import BeautifulSoup

    soup: Any = BeautifulSoup(_decode(path.read_bytes()), "html.parser")
    for tag in soup(["script", "style", "noscript", "template"]):
        tag.decompose()
    title = one_line(soup.title.get_text()) if soup.title else ""
    for tag in soup(_HEADINGS):
        if tag.get_text(strip=True):
            tag.insert(0, _MARK)
    for tag in soup(_BLOCKS):
        tag.insert_before("\n")
        tag.insert_after("\n")
    lines, headings, offset, marked = [], [], 0, False
    for raw in (soup.body or soup).get_text().splitlines():
        marked = marked or _MARK in raw
        if not (line := one_line(raw.replace(_MARK, ""))):
            continue
        if marked:
            headings.append((offset, line))
        lines.append(line)
        offset, marked = offset + len(line) + 1, False
    return [Document(name, "\n".join(lines), title or path.stem, headings=tuple(headings))]


def _decode(data: bytes) -> str:
    """By the file's mark or its own declaration, else UTF-8; nothing is guessed.

    What says Latin-1 is read as Windows-1252, and what says UTF-16 without a mark as UTF-8, as
    browsers do (the Encoding Standard and HTML, "determining the character encoding").
    """
    from bs4.dammit import EncodingDetector

    declared = EncodingDetector.find_declared_encoding(data, is_html=True)
    if not declared or data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return decode(data)
    try:
        encoding = codecs.lookup(declared).name
        if encoding.startswith(("utf-16", "utf-32")):
            return decode(data)
        return data.decode("cp1252" if encoding in ("iso8859-1", "ascii") else encoding)
    except (LookupError, UnicodeDecodeError):
        raise DocumentsError(
            f"cannot be read: not {declared}, as it says; save it as UTF-8"
        ) from None
