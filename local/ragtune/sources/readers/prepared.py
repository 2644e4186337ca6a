"""A document as it is indexed: typesetting undone, pictures written as letters left out."""

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from ragtune.core.text.typography import plain
from ragtune.sources.readers.base import Document

_DATA = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w.=-]+)*(?:;base64)?,[^\s\"'()<>\[\]]{40,}", re.I)
"""A file inside of an address (RFC 2397)."""
_HALF, UNKNOWN = re.compile("[\ud800-\udfff]"), "\ufffd"
_LONG = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{200,}={0,2}")
_LINES = re.compile(
    r"(?:^[ \t]*[A-Za-z0-9+/]{60,76}[ \t]*\r?\n){4,}[ \t]*[A-Za-z0-9+/]*={0,2}", re.M
)
"""Base64 in lines of one length, as in mails and keys."""


def prepared(document: Document) -> Document:
    """The document with `core.text.typography.plain` letters, and without base64.

    What is left out of it is named in ``left_out``; headings and tables stay where they are.
    """
    document = _whole(document)
    found: list[int] = []

    def cleaned(text: str) -> str:
        return plain(_without_blobs(text, found.append))

    if len(text := cleaned(document.text)) == len(document.text) and text == document.text:
        return document
    found.clear()
    headings, tables = document.headings, document.tables
    places = {0, len(document.text), *(offset for offset, _ in headings)}
    places |= {place for table in tables for place in (table.start, table.end)}
    now, parts, length = {0: 0}, [], 0
    for start, end in pairwise(sorted(places)):
        parts.append(cleaned(document.text[start:end]))
        length += len(parts[-1])
        now[end] = length
    left_out = [f"{sum(found):,} characters of base64, no text"] if found else []
    return replace(
        document,
        text="".join(parts),
        title=plain(document.title),
        headings=tuple((now[offset], plain(title)) for offset, title in headings),
        tables=tuple(
            replace(t, start=now[t.start], end=now[t.end], caption=plain(t.caption)) for t in tables
        ),
        left_out=(*document.left_out, *left_out),
    )


def _whole(document: Document) -> Document:
    """The document without half characters, which no store and no UTF-8 can hold."""
    titles = "".join((document.title, *(title for _, title in document.headings)))
    captions = "".join(table.caption for table in document.tables)
    count = 0 if document.text.isascii() else len(_HALF.findall(document.text))
    if not count and not _HALF.search(f"{titles}{captions}{document.locator}"):
        return document
    said = [f"{count:,} half characters (lone surrogates)"] if count else []
    return replace(
        document,
        text=_HALF.sub(UNKNOWN, document.text),
        title=_HALF.sub(UNKNOWN, document.title),
        locator=_HALF.sub(UNKNOWN, document.locator),
        headings=tuple((place, _HALF.sub(UNKNOWN, title)) for place, title in document.headings),
        tables=tuple(replace(t, caption=_HALF.sub(UNKNOWN, t.caption)) for t in document.tables),
        left_out=(*document.left_out, *said),
    )


def _without_blobs(text: str, note: Callable[[int], object]) -> str:
    def left_out(match: re.Match[str]) -> str:
        blob = match[0]
        uri = blob[:5].lower() == "data:"
        kinds = sum(bool(re.search(kind, blob)) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
        if not uri and kinds < 3:
            return blob
        note(len(blob))
        return ""

    if "data:" in text or "DATA:" in text:
        text = _DATA.sub(left_out, text)
    if len(text) > 200:
        text = _LINES.sub(left_out, _LONG.sub(left_out, text))
    return text
