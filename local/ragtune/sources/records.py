"""Instruction records: what one is, and how they are read.

A record has Dolly's four fields, ``instruction, context, response, category``, and may name
its gold ``document`` (a file name) or several, the ``evidence`` in it (a sentence), and the
``group`` of records that ask for the same fact in other words. A question of the study is a record
too: its responses are the references. `ragtune.sources.fields` knows how they may be written.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ragtune.core import hub
from ragtune.core.errors import RecordsError
from ragtune.sources import fields


@dataclass(frozen=True)
class Record:
    """One instruction record; fields that a source does not have are empty.

    ``response`` is what is trained on and the first reference, ``document`` the first gold
    document; all of them are `references` and `gold`. The response of an unanswerable record is
    ``study.refusal``.
    """

    instruction: str
    response: str
    context: str = ""
    category: str = ""
    document: str = ""
    evidence: str = ""
    group: str = ""
    other_responses: tuple[str, ...] = ()
    other_documents: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Record":
        """The record that `to_json` wrote."""
        texts: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in row.items()}
        return cls(**texts)

    def to_json(self) -> dict[str, Any]:
        """The fields by name; of those that hold several texts only what there is."""
        return {n: v for n, v in asdict(self).items() if v or not n.startswith("other_")}

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits over the whole content: equal rows have equal ids."""
        return hashlib.sha256(json.dumps(self.to_json()).encode()).hexdigest()[:12]

    @property
    def references(self) -> tuple[str, ...]:
        """Every right answer, the response first."""
        return (self.response, *self.other_responses)

    @property
    def gold(self) -> tuple[str, ...]:
        """The names of the gold documents, any of which will do."""
        return tuple(name for name in (self.document, *self.other_documents) if name)

    def query(self, *, with_context: bool) -> str:
        """What is looked up for it: its context too, where that is part of the question."""
        return f"{self.instruction}\n{self.context}" if with_context else self.instruction

    @property
    def key(self) -> tuple[str, str]:
        """The question as a reader would compare it: case and spacing do not count."""
        return _squeeze(self.instruction), _squeeze(self.context)


@dataclass(frozen=True)
class BadLine:
    """A line that is no record, and why."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@dataclass(frozen=True)
class Loaded:
    """Records in file order, and the lines that are none."""

    records: list[Record]
    bad: list[BadLine] = field(default_factory=list)


def load(
    path: Path, source: str, revision: str | None, max_bad_lines: float, refusal: str = ""
) -> Loaded:
    """The records of a file, a folder of them, or a hub id, which is what ``source`` says.

    ``refusal`` is the response of records that have no answer.

    Raises RecordsError for a source that is missing, empty or too broken, OfflineError for a hub
    id while offline.
    """
    if not path.exists() and hub.is_id(source):
        rows = hub.dataset_rows(source, revision)
        loaded = _parse(((f"{source} row {n}", row) for n, row in enumerate(rows, 1)), refusal)
    else:
        loaded = _parse(_lines(path), refusal)
    if not loaded.records:
        reason = f"; first: {loaded.bad[0]}" if loaded.bad else ""
        raise RecordsError(f"{path if path.exists() else source}: holds no records{reason}")
    share = len(loaded.bad) / (len(loaded.bad) + len(loaded.records))
    if share > max_bad_lines:
        named = "; ".join(map(str, loaded.bad[:5]))
        more = f"; and {len(loaded.bad) - 5} more" if len(loaded.bad) > 5 else ""
        raise RecordsError(
            f"{len(loaded.bad)} of {len(loaded.bad) + len(loaded.records)} lines are broken, over "
            f"records.max_bad_lines ({max_bad_lines:g}): {named}{more}"
        )
    return loaded


def _lines(path: Path) -> Iterable[tuple[str, Any]]:
    """Every non-empty line of a jsonl file or a folder of them, parsed, with its place."""
    if not path.exists():
        raise RecordsError(
            f"{path}: no such file or folder; name a .jsonl file, a folder or a hub id"
        )
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files:
        raise RecordsError(f"{path}: holds no .jsonl file")
    for file in files:
        for number, line in enumerate(file.read_bytes().splitlines(), 1):
            if line.strip():
                yield f"{file.name}:{number}", _json(line)


def _json(line: bytes) -> Any:
    """The parsed line, or the exception that says why it cannot be parsed."""
    try:
        return json.loads(line.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        return error


def _parse(rows: Iterable[tuple[str, Any]], refusal: str) -> Loaded:
    loaded = Loaded([])
    for where, row in rows:
        try:
            loaded.records.append(Record(**fields.read(_object(row), refusal)))
        except fields.NoRecord as error:
            loaded.bad.append(BadLine(where, str(error)))
    return loaded


def _object(row: Any) -> Mapping[str, Any]:
    """The row.

    Raises NoRecord where it is no JSON object.
    """
    if isinstance(row, UnicodeDecodeError):
        raise fields.NoRecord("not UTF-8")
    if isinstance(row, json.JSONDecodeError):
        raise fields.NoRecord(f"not JSON: {row.msg} at column {row.colno}")
    if not isinstance(row, dict):
        raise fields.NoRecord("not a JSON object")
    return row


def _squeeze(text: str) -> str:
    return " ".join(text.lower().split())
