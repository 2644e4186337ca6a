"""A few texts of a recipe's documents, read at once: enough to see which language they are in."""

import html
import os
import re
from collections.abc import Sequence
from pathlib import Path

from ragtune.core.errors import DocumentsError
from ragtune.core.ordinary import special
from ragtune.sources import reading
from ragtune.sources.readers import SUFFIXES

MOST = 24
"""Texts of a sample."""
SLOW = 4
"""Files of a kind that takes long to read."""
BYTES = 4096
"""That are read of a plain file."""
LARGEST = 5_000_000
"""Bytes of a file of another kind, at most."""
PLAIN = (".md", ".markdown", ".txt", ".rst", ".adoc", ".org", ".html", ".htm", ".csv", ".tsv")
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^<>]*>", re.DOTALL | re.IGNORECASE)


def spread(texts: Sequence[str], most: int = MOST) -> list[str]:
    """At most so many, evenly from first to last."""
    if len(texts) <= most:
        return list(texts)
    return [texts[number * len(texts) // most] for number in range(most)]


def of_folder(folder: Path) -> list[str]:
    """The beginnings of some of a folder's files, plain ones where there are any.

    What cannot be read is left out, and said by whoever needs it.
    """
    names = sorted(_names(folder))
    plain = [name for name in names if Path(name).suffix.lower() in PLAIN]
    if plain:
        return [text for name in spread(plain) if (text := _beginning(folder / name))]
    return [text for name in spread(names, SLOW) if (text := _read(folder, name))]


def _names(folder: Path) -> list[str]:
    found: list[str] = []
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        place = Path(here).relative_to(folder)
        found += [
            (place / name).as_posix()
            for name in files
            if not name.startswith(".")
            and Path(name).suffix.lower() in SUFFIXES
            and not special(Path(here, name))
        ]
    return found


def _beginning(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(BYTES)
    except OSError:
        return ""
    wide = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = content.decode(wide, errors="ignore")
    return html.unescape(_TAG.sub(" ", text)) if "<" in text else text


def _read(folder: Path, name: str) -> str:
    try:
        if (folder / name).stat().st_size > LARGEST:
            return ""
        return "\n".join(part.text for part in reading.read(folder / name, name)[:2])
    except (DocumentsError, OSError):
        return ""
