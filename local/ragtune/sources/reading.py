"""One file → its documents, within bounds: what exceeds them is left out with its reason."""

from pathlib import Path

from ragtune.core.errors import DocumentsError
from ragtune.sources import readers
from ragtune.sources.bounds import bounds_of
from ragtune.sources.reader_process import PROCESS, Exceeded
from ragtune.sources.readers import Document

PLAIN = 20_000
"""Bytes up to which a plain text is read in this process: too few to keep it busy."""
_EXCEEDED: dict[tuple[str, str], str] = {}
"""Why a content of a kind of file is not tried again in this process."""


def read(path: Path, name: str, content: str = "") -> list[Document]:
    """The documents of one file; ``content`` is the hash of what is in it, where it is known.

    Raises DocumentsError, with the reason alone, as `readers.read` does and for what exceeds the
    bounds.
    """
    kind = path.suffix.lower()
    try:
        bounds = bounds_of(path)
        size = path.stat().st_size
    except OSError as error:
        raise DocumentsError(f"cannot be read: {error.strerror}") from None
    if size <= PLAIN and kind in readers.PLAIN_KINDS:
        return readers.read(path, name, bounds.outcome)
    if reason := _EXCEEDED.get((kind, content)):
        raise DocumentsError(reason)
    try:
        found: list[Document] = PROCESS.call(
            "ragtune.sources.readers", "read", path, name, bounds.outcome, bounds=bounds
        )
    except Exceeded as error:
        reason = f"cannot be read: {error}"
        if content:
            _EXCEEDED[kind, content] = reason
        raise DocumentsError(reason) from None
    return found
