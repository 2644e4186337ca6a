"""Rich text (RTF), by striprtf."""

import re
from pathlib import Path

from ragtune.core.errors import DocumentsError
from ragtune.sources.readers.base import Document


def read(path: Path, name: str) -> list[Document]:
    """The text; cells of a table have bars between them."""
    from striprtf.striprtf import rtf_to_text

    data = path.read_bytes()
    if not data.lstrip().startswith(b"{\\rtf"):
        raise DocumentsError("cannot be read: not what its name says")
    text = rtf_to_text(_whole(data.decode("latin-1")), errors="replace")
    return [Document(name, text.strip(), path.stem)]


_PAIR = re.compile(r"\\u(-?\d{4,5}) ?\??\\u(-?\d{4,5})( ?\??)")


def _whole(text: str) -> str:
    """RTF in which letters beyond 16 bits, such as emoji, are one number each.

    They are written as two halves, which striprtf reads one by one.
    """

    def joined(found: re.Match[str]) -> str:
        high, low = (int(half) % 0x10000 for half in found.groups()[:2])
        if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
            return found[0]
        return f"\\u{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)}{found[3]}"

    return _PAIR.sub(joined, text)
