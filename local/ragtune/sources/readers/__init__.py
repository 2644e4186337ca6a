"""One file → its text, with the pages or headings that say where in it a passage is."""

from pathlib import Path

from ragtune.core.errors import DocumentsError
from ragtune.sources.readers import docx, html, pdf, text
from ragtune.sources.readers.base import Document, Reader

READERS: dict[str, Reader] = {
    ".md": text.read,
    ".txt": text.read,
    ".html": html.read,
    ".htm": html.read,
    ".pdf": pdf.read,
    ".docx": docx.read,
}
"""Who reads a file, by its suffix in lower case."""
SUFFIXES = tuple(READERS)

__all__ = ["READERS", "SUFFIXES", "Document", "Reader", "read"]


def read(path: Path, name: str) -> list[Document]:
    """The documents of one file, those without text left out.

    Raises DocumentsError, with the reason alone, where the file cannot be read or holds no text.
    """
    try:
        documents = READERS[path.suffix.lower()](path, name)
    except DocumentsError:
        raise
    except Exception as error:  # parsers raise whatever they like on broken files
        raise DocumentsError(f"cannot be read: {_reason(error)}") from None
    documents = [document for document in documents if document.text.strip()]
    if not documents:
        raise DocumentsError("holds no text")
    return documents


def _reason(error: Exception) -> str:
    """The first line of an error."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
