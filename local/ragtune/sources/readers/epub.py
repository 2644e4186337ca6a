"""Books (EPUB): the chapters in the order of reading."""

import posixpath
from pathlib import Path
from urllib.parse import unquote

from ragtune.core.errors import DocumentsError
from ragtune.sources.readers import archive, html
from ragtune.sources.readers.base import Document
from ragtune.sources.readers.blocks import Blocks

_CONTAINER = "META-INF/container.xml"


def read(path: Path, name: str) -> list[Document]:
    """All chapters as one text with the headings of the book."""
    with archive.opened(path) as file:
        names = set(file.namelist())
        if _CONTAINER not in names:
            raise DocumentsError("cannot be read: not what its name says")
        if "META-INF/rights.xml" in names:
            raise DocumentsError("cannot be decrypted: protected by its publisher")
        rootfiles = archive.xml(file.read(_CONTAINER)).iter("{*}rootfile")
        package = next((one.get("full-path") for one in rootfiles), None)
        if package not in names:
            raise DocumentsError("cannot be read: its container names no package that is in it")
        root = archive.xml(file.read(package))
        titles = [one.text or "" for one in root.iter("{http://purl.org/dc/elements/1.1/}title")]
        items = {one.get("id"): one for one in root.iter("{*}item")}
        blocks = Blocks(gap="\n")
        for place in root.iter("{*}itemref"):
            item = items.get(place.get("idref"))
            if item is None or "nav" in (item.get("properties") or "").split():
                continue
            folder = posixpath.dirname(package)
            part = posixpath.normpath(posixpath.join(folder, unquote(item.get("href") or "")))
            if part in names:
                html.add(blocks, html.decoded(file.read(part)))
    return [blocks.document(name, titles[0] if titles and titles[0].strip() else path)]
