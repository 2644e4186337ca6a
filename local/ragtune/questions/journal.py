"""What was drafted so far, a line a document, so that a stopped drafting goes on."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragtune.core.errors import DocumentsError
from ragtune.questions.row import Row

FILE = "drafting.jsonl"


@dataclass(frozen=True)
class Drafted:
    """What came of one document: rows, and why other drafts were dropped, with their number."""

    document: str
    rows: list[Row]
    dropped: dict[str, int]
    facts: int


class Journal:
    """A file that is only ever added to; its first line says what the drafts are made of."""

    def __init__(self, folder: Path, key: dict[str, Any]) -> None:
        """Open it, and read what is there.

        Raises DocumentsError where it was begun with other documents or settings.
        """
        self.path = folder / FILE
        self.done: dict[str, Drafted] = {}
        lines = _lines(self.path)
        if lines and lines[0] != key:
            other = ", ".join(k for k in key if lines[0].get(k) != key[k]) or "another version"
            raise DocumentsError(
                f"{folder}: drafting began there with other settings ({other}); give the same "
                "ones, or name another folder with --output, or begin again with --again"
            )
        for line in lines[1:]:
            rows = [Row.from_json(row) for row in line["rows"]]
            one = Drafted(line["document"], rows, line["dropped"], line["facts"])
            self.done[one.document] = one
        if not lines:
            folder.mkdir(parents=True, exist_ok=True)
            self.path.unlink(missing_ok=True)
            self._write([key])

    def add(self, drafted: Sequence[Drafted]) -> None:
        """Take in documents; they are on the disk when this returns."""
        self._write(
            [
                {
                    "document": one.document,
                    "rows": [row.to_json() for row in one.rows],
                    "dropped": one.dropped,
                    "facts": one.facts,
                }
                for one in drafted
            ]
        )
        self.done |= {one.document: one for one in drafted}

    def _write(self, lines: Sequence[dict[str, Any]]) -> None:
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        with self.path.open("a", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())


def _lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of the file; one that a kill cut short is cut off."""
    if not path.is_file():
        return []
    raw = path.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]
    found: list[dict[str, Any]] = []
    try:
        found = [json.loads(line) for line in whole.decode("utf-8").splitlines()]
    except ValueError:
        raise DocumentsError(f"{path}: damaged; delete it, and drafting begins again") from None
    if len(whole) < len(raw):
        with path.open("r+b") as out:
            out.truncate(len(whole))
    return found
