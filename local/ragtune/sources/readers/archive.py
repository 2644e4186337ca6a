"""Files that are zip archives inside: opened, with a bound on what they unpack to."""

import zipfile
from pathlib import Path
from typing import Any

from ragtune.core.errors import DocumentsError

MOST = 500_000_000
"""Bytes that a file may unpack to; a small one that unpacks to gigabytes is made to do harm."""


def opened(path: Path) -> zipfile.ZipFile:
    """The archive, to be closed by the caller.

    Raises DocumentsError where the file is none, is encrypted, or unpacks to more than `MOST`.
    """
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise DocumentsError("cannot be read: needs a password, or is of Office before 2007")
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        cut = "cut off, or broken" if start.startswith(b"PK") else "not what its name says"
        raise DocumentsError(f"cannot be read: {cut}") from None
    inside = archive.infolist()
    reason = ""
    if (size := sum(one.file_size for one in inside)) > MOST:
        reason = f"cannot be read: unpacks to {size / 1e6:,.0f} MB, over {MOST / 1e6:,.0f}"
    elif any(one.flag_bits & 1 for one in inside):
        reason = "needs a password; save it without one"
    if reason:
        archive.close()
        raise DocumentsError(reason)
    return archive


def check(path: Path) -> None:
    """Raise what `opened` raises."""
    opened(path).close()


def xml(data: bytes) -> Any:
    """A part's root element (lxml), no entity expanded and nothing fetched."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, huge_tree=True)
    root = etree.fromstring(data, parser)
    if root is None:
        raise DocumentsError("cannot be read: a part of it is no XML")
    return root
