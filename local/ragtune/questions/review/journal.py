"""The journal beside a questions file: every row as it was, and every decision."""

import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from ragtune.core import system
from ragtune.core.errors import RecordsError, RunError

ENDING = ".review"
"""What is added to the file's name; no ending that records are read from."""
VERSION = 1
State = Literal["open", "kept", "dropped"]
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True)
class Decision:
    """What holds of a row from now on; ``question`` and ``answer`` None: as it was drafted."""

    id: str
    state: State
    question: str | None = None
    answer: str | None = None


@dataclass(frozen=True)
class Entry:
    """A line: rows that were added, or decisions taken together.

    ``how``: on the ``page``, by a ``csv``, an ``undo`` of the last ones that were not undone, or by
    a change of the ``file`` that was made elsewhere. ``at`` is a time in ISO 8601, ``by`` a user.
    """

    how: Literal["page", "csv", "undo", "file"]
    at: str
    by: str
    rows: tuple[tuple[str, dict[str, Any]], ...] = ()
    decisions: tuple[Decision, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The line."""
        return {name: value for name, value in asdict(self).items() if value or name == "by"}

    @classmethod
    def from_json(cls, line: dict[str, Any]) -> "Entry":
        """The entry that `to_json` wrote."""
        decisions = tuple(Decision(**one) for one in line.get("decisions", ()))
        if any(one.state not in STATES for one in decisions):
            raise ValueError(line)
        rows = tuple((str(name), dict(row)) for name, row in line.get("rows", ()))
        return cls(line["how"], line["at"], line["by"], rows, decisions)


def path_for(file: Path) -> Path:
    """Where the journal of a questions file is: beside the file itself, not beside a link to it."""
    file = file.resolve()
    return file.with_name(file.name + ENDING)


class Journal:
    """A file that is only ever added to; a line that a kill cut short does not count."""

    def __init__(self, path: Path) -> None:
        """Read what is there.

        Raises RecordsError where it is damaged.
        """
        self.path = path
        raw = path.read_bytes() if path.is_file() else b""
        self._length = raw.rfind(b"\n") + 1
        try:
            lines = [json.loads(line) for line in raw[: self._length].decode().splitlines()]
            if lines and lines[0].get("review") != VERSION:
                raise ValueError(lines[0])
            self.entries = [Entry.from_json(line) for line in lines[1:]]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise RecordsError(
                f"{path}: damaged, or of another version; move it away, and the review of what the "
                "file holds now begins again"
            ) from None

    def add(self, entries: Sequence[Entry]) -> None:
        """Add entries; they are on the disk when this returns, or none of them is.

        Raises RunError where the disk refuses.
        """
        lines = [entry.to_json() for entry in entries]
        if not self._length:
            lines.insert(0, {"review": VERSION})
        data = "".join(json.dumps(line) + "\n" for line in lines).encode()
        try:
            self._append(data)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.truncate(self.path, self._length)
            raise system.explain(error) or RunError(f"{self.path}: {error}") from None
        self._length += len(data)
        self.entries += entries

    def _append(self, data: bytes) -> None:
        with self.path.open("r+b" if self.path.exists() else "xb") as out:
            out.truncate(self._length)
            out.seek(self._length)
            out.write(data)
            out.flush()
            os.fsync(out.fileno())


def decided(file: Path) -> int:
    """How many rows of a questions file a person kept, changed or dropped, as its journal has it.

    Raises RecordsError where the journal is damaged.
    """
    entries = Journal(path_for(file)).entries
    last = {one.id: one for entry in entries if entry.how != "file" for one in entry.decisions}
    return sum(one.state != "open" for one in last.values())
