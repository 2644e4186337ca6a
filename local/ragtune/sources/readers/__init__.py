"""One file → its text, with the pages or headings that say where in it a passage is."""

from pathlib import Path

from ragtune.core.errors import DocumentsError
from ragtune.core.text.shortening import shortened
from ragtune.sources.readers import (
    csv,
    docx,
    epub,
    html,
    json,
    mail,
    odf,
    pdf,
    pptx,
    rtf,
    sheets,
    text,
)
from ragtune.sources.readers.base import Document, Reader, Table
from ragtune.sources.readers.prepared import prepared

READERS: dict[str, Reader] = {
    **dict.fromkeys((".md", ".markdown", ".mdown", ".mkd", ".mdx", ".qmd", ".rmd"), text.read),
    **dict.fromkeys((".txt", ".text", ".log", ".rst", ".rest"), text.read),
    **dict.fromkeys((".adoc", ".asciidoc", ".org"), text.read),
    **dict.fromkeys((".html", ".htm", ".xhtml"), html.read),
    ".pdf": pdf.read,
    **dict.fromkeys((".docx", ".docm"), docx.read),
    **dict.fromkeys((".pptx", ".pptm"), pptx.read),
    **dict.fromkeys((".xlsx", ".xlsm"), sheets.read),
    **dict.fromkeys((".csv", ".tsv", ".tab"), csv.read),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), json.read),
    **dict.fromkeys((".odt", ".odp", ".ods"), odf.read),
    ".rtf": rtf.read,
    ".epub": epub.read,
    ".eml": mail.read,
}
"""Who reads a file, by its suffix in lower case."""
SUFFIXES = tuple(READERS)
PLAIN_KINDS = frozenset(
    suffix for suffix, reader in READERS.items() if reader in (text.read, csv.read, json.read)
)
"""Suffixes of text that no library parses."""

__all__ = ["PLAIN_KINDS", "READERS", "SUFFIXES", "Document", "Reader", "Table", "prepared", "read"]


def read(path: Path, name: str, most: int | None = None) -> list[Document]:
    """The documents of one file as they are indexed, those without text left out.

    Raises DocumentsError, with the reason alone, where the file cannot be read, holds no text, or
    gives more than ``most`` characters. Nothing bounds what it takes: see `sources.reading`.
    """
    if path.exists() and not path.stat().st_size:
        raise DocumentsError("holds no text: the file is empty (0 bytes)")
    try:
        documents = READERS[path.suffix.lower()](path, name)
    except DocumentsError:
        raise
    except MemoryError:
        raise DocumentsError("cannot be read: too large for the memory; split it") from None
    except RecursionError:
        raise DocumentsError("cannot be read: nested too deeply") from None
    except Exception as error:  # parsers raise what they like on broken files
        raise DocumentsError(f"cannot be read: {_reason(error)}") from None
    if most is not None and (length := sum(len(one.text) for one in documents)) > most:
        raise DocumentsError(
            f"cannot be read: unpacks to {length:,} characters, over {most:,}; split it"
        )
    documents = [prepared(document) for document in documents]
    if not (found := [document for document in documents if document.text.strip()]):
        left_out = [one for document in documents for one in document.left_out]
        raise DocumentsError(": ".join(["holds no text", *left_out[:1]]))
    return found


def _reason(error: BaseException) -> str:
    """The first line of an error."""
    return shortened((str(error).strip().splitlines() or [type(error).__name__])[0], 300)
