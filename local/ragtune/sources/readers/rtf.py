"""Rich text (RTF), by striprtf."""

from pathlib import Path

from ragtune.core.errors import DocumentsError
from ragtune.sources.readers.base import Document


def read(path: Path, name: str) -> list[Document]:
    """The text; cells of a table have bars between them."""
    from striprtf.striprtf import rtf_to_text

    data = path.read_bytes()
    if not data.lstrip().startswith(b"{\\rtf"):
        raise DocumentsError("cannot be read: not what its name says")
    text = rtf_to_text(data.decode("latin-1"), errors="replace")
    return [Document(name, text.strip(), path.stem)]
