"""One file → its text, with the pages or headings that say where in it a passage stands."""

import codecs
import logging
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ragtune.core.errors import DocumentsError

SUFFIXES = (".md", ".txt", ".html", ".htm", ".pdf", ".docx")
_HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]
_BLOCKS = [*_HEADINGS, "p", "div", "section", "article", "li", "tr", "td", "th", "br", "pre", "dd"]
_MARK = "\0"
"""Put before a heading's text, to find it again in the text of the whole."""
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@dataclass(frozen=True)
class Document:
    """A piece of text with its place: ``name`` is the file's path in the folder.

    A PDF gives one document a page; ``page`` counts from 1 and ``locator`` says it as the file
    labels it (``p. iii``). Elsewhere ``headings`` holds each heading with the offset in ``text``
    at which it stands, and a chunk's locator is the heading that it is under.
    """

    name: str
    text: str
    title: str = ""
    locator: str = ""
    page: int | None = None
    headings: tuple[tuple[int, str], ...] = ()

    def locator_at(self, start: int, end: int) -> str:
        """Where the characters from ``start`` to ``end`` stand: the page, or the heading.

        The heading is the last one at or before ``start``, or else the first one before ``end``.
        """
        if self.locator or not self.headings:
            return self.locator
        above = [title for offset, title in self.headings if offset <= start]
        inside = [title for offset, title in self.headings if start < offset < end]
        return (above[-1:] or inside[:1] or [""])[0]


def read(path: Path, name: str) -> list[Document]:
    """The documents of one file, those without text left out.

    Raises DocumentsError, with the reason alone, where the file cannot be read or holds no text.
    """
    kind = path.suffix.lower()
    try:
        if kind == ".pdf":
            return _pdf(path, name)
        if kind == ".docx":
            document = _docx(path, name)
        elif kind in (".html", ".htm"):
            document = _html(path.read_bytes(), path, name)
        else:
            document = _text(path.read_bytes(), path, name)
    except DocumentsError:
        raise
    except Exception as error:  # parsers raise whatever they like on broken files
        raise DocumentsError(f"cannot be read: {_reason(error)}") from None
    if not document.text.strip():
        raise DocumentsError("holds no text")
    return [document]


def _text(data: bytes, path: Path, name: str) -> Document:
    text = _decode(data)
    markdown = path.suffix.lower() == ".md"
    first = next((line for line in text.splitlines() if line.strip()), "")
    title = first.lstrip("#").strip() if first.startswith("#") else ""
    headings = tuple(_markdown_headings(text)) if markdown else ()
    return Document(name, text, title or path.stem.replace("-", " "), headings=headings)


def _decode(data: bytes) -> str:
    """UTF-8, with or without its mark, or UTF-16 with its mark; nothing is guessed."""
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


def _markdown_headings(text: str) -> Iterable[tuple[int, str]]:
    """ATX headings outside of code fences."""
    fenced = False
    offset = 0
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced and (found := re.match(r" {0,3}#{1,6}[ \t]+(.*?)[ \t#]*$", line.rstrip())):
            yield offset, found[1]
        offset += len(line)


def _html(data: bytes, path: Path, name: str) -> Document:
    """The text of the body with a line for each block, scripts and styles left out."""
    from bs4 import BeautifulSoup

    soup: Any = BeautifulSoup(_decode_html(data), "html.parser")
    for tag in soup(["script", "style", "noscript", "template"]):
        tag.decompose()
    title = _one_line(soup.title.get_text()) if soup.title else ""
    for tag in soup(_HEADINGS):
        if tag.get_text(strip=True):
            tag.insert(0, _MARK)
    for tag in soup(_BLOCKS):
        tag.insert_before("\n")
        tag.insert_after("\n")
    lines, headings, offset, marked = [], [], 0, False
    for raw in (soup.body or soup).get_text().splitlines():
        marked = marked or _MARK in raw
        if not (line := _one_line(raw.replace(_MARK, ""))):
            continue
        if marked:
            headings.append((offset, line))
        lines.append(line)
        offset, marked = offset + len(line) + 1, False
    return Document(name, "\n".join(lines), title or path.stem, headings=tuple(headings))


def _decode_html(data: bytes) -> str:
    """By the file's mark or its own declaration, else UTF-8; nothing is guessed.

    What says Latin-1 is read as Windows-1252, and what says UTF-16 without a mark as UTF-8, as
    browsers do (the Encoding Standard and HTML, "determining the character encoding").
    """
    from bs4.dammit import EncodingDetector

    declared = EncodingDetector.find_declared_encoding(data, is_html=True)
    if not declared or data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return _decode(data)
    try:
        encoding = codecs.lookup(declared).name
        if encoding.startswith(("utf-16", "utf-32")):
            return _decode(data)
        return data.decode("cp1252" if encoding in ("iso8859-1", "ascii") else encoding)
    except (LookupError, UnicodeDecodeError):
        raise DocumentsError(
            f"cannot be read: not {declared}, as it says; save it as UTF-8"
        ) from None


def _docx(path: Path, name: str) -> Document:
    from llama_index.readers.file import DocxReader

    text = "".join(part.text for part in DocxReader().load_data(path))
    with zipfile.ZipFile(path) as archive:
        root = ElementTree.fromstring(archive.read("word/document.xml"))
    headings, cursor = [], 0
    for paragraph in root.iter(f"{_W}p"):
        said = "".join(_said(part) for part in paragraph.iter()).strip()
        if not said or (at := text.find(said, cursor)) < 0:
            continue
        cursor = at + len(said)
        style = paragraph.find(f"{_W}pPr/{_W}pStyle")
        if style is not None and re.match(r"heading|title", style.get(f"{_W}val", ""), re.I):
            headings.append((at, _one_line(said)))
    return Document(name, text, path.stem, headings=tuple(headings))


def _said(part: ElementTree.Element) -> str:
    """What an element of a paragraph adds to the text, as docx2txt has it."""
    if part.tag == f"{_W}t":
        return part.text or ""
    return {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n"}.get(part.tag, "")


def _pdf(path: Path, name: str) -> list[Document]:
    from llama_index.readers.file import PDFReader

    logging.getLogger("pypdf").setLevel(logging.ERROR)
    pages = PDFReader().load_data(path)
    documents = [
        Document(name, _whole(p.text), path.stem, f"p. {p.metadata.get('page_label', n)}", n)
        for n, p in enumerate(pages, 1)
        if p.text.strip()
    ]
    if not documents:
        raise DocumentsError(f"holds no text in {len(pages)} pages: a scan? recognise its text")
    return documents


def _whole(text: str) -> str:
    """The text with what a broken character map has split joined, or replaced where it is alone."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _reason(error: Exception) -> str:
    """The first line of an error, looked for inside tenacity's wrapper."""
    attempt = getattr(error, "last_attempt", None)
    inner = attempt.exception() if attempt is not None else error
    return (str(inner).strip().splitlines() or [type(inner).__name__])[0]
