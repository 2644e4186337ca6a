"""Plain text and Markdown."""

import re
from collections.abc import Iterable
from pathlib import Path

from ragtune.core.errors import DocumentsError
from ragtune.sources.readers.base import Document


def read(path: Path, name: str) -> list[Document]:
    """The text, with the headings of Markdown; a first line that is one is the title."""
    text = decode(path.read_bytes())
    markdown = path.suffix.lower() == ".md"
    first = next((line for line in text.splitlines() if line.strip()), "")
    title = first.lstrip("#").strip() if first.startswith("#") else ""
    headings = tuple(_markdown_headings(text)) if markdown else ()
    return [Document(name, text, title or path.stem.replace("-", " "), headings=headings)]


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
