"""Instruction records: what one is, and how they are read.

A record has Dolly's four fields, ``instruction, context, response, category``, and may name
its gold ``document`` (a file name) or several, the ``evidence`` in it (a sentence), and the
``group`` of records that ask for the same fact in other words. A question of the study is a record
too: its responses are the references. `ragtune.sources.rows` reads files and data sets,
`ragtune.sources.columns` finds the fields in their columns, and `ragtune.sources.fields` knows how
they may be written.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any

from ragtune.core import collection, hub
from ragtune.core.errors import OfflineError, RecordsError
from ragtune.core.text.shortening import named, shortened
from ragtune.recipe.records import Records
from ragtune.sources import fields
from ragtune.sources.columns import Mapper
from ragtune.sources.rows import files
from ragtune.sources.rows.base import BadRow, Table, Twice
from ragtune.sources.rows.columns import numbered


@dataclass(frozen=True)
class Record:
    """One instruction record; fields that a source does not have are empty.

    ``response`` is what is trained on and the first reference, ``document`` the first gold
    document; all of them are `references` and `gold`. The response of an unanswerable record is
    ``study.refusal``. Of a conversation, ``instruction`` is the last question; ``earlier`` are the
    turns before it, the user's and the assistant's by turns, and ``system`` is what was said to the
    assistant before all of them. ``reviewed``, whether a person kept it, is no part of its content,
    and None where nothing is said of that.
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
    earlier: tuple[str, ...] = ()
    system: str = ""
    reviewed: bool | None = field(default=None, compare=False)

    @classmethod
    def of_texts(cls, values: Mapping[str, str]) -> "Record":
        """The record with these fields and the defaults of the others.

        A third of the time of ``Record(**values)``, which sets each field of a frozen class through
        ``object``; what is not given is found in the class.
        """
        record = object.__new__(cls)
        record.__dict__.update(values)
        return record

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Record":
        """The record that `to_json` wrote."""
        texts: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in row.items()}
        return cls(**texts)

    def to_json(self) -> dict[str, Any]:
        """The content by name; of fields that few records have only what there is."""
        found = {name: getattr(self, name) for name in _CONTENT}
        return {n: v for n, v in found.items() if v or n not in _RARE}

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
        """What is looked up for it: its context too, where that is part of the question.

        The user's turn before it is always part of it: "And in winter?" asks for nothing alone.
        """
        asked = "\n".join([*self.earlier[-2:-1], self.instruction])
        return f"{asked}\n{self.context}" if with_context else asked

    def own(self, *, with_context: bool, turns: bool = False) -> str:
        """What belongs to the question beside the instruction, as one text.

        That is what was said to the assistant, the turns before, and the context where it is part
        of the question. Where ``turns``, the turns are shown as such and are no part of it.
        """
        shown = [self.context] if with_context else []
        if self.earlier and not turns:
            said = zip(self.earlier[::2], self.earlier[1::2], strict=True)
            shown = ["\n\n".join(f"User: {u}\nAssistant: {a}" for u, a in said), *shown]
        if not (self.earlier and turns):
            shown = [self.system, *shown]
        return "\n\n".join(text for text in shown if text)

    @property
    def exchanges(self) -> list[tuple[str, str]]:
        """The earlier turns in pairs; the first begins with what was said to the assistant."""
        found = list(zip(self.earlier[::2], self.earlier[1::2], strict=True))
        if found and self.system:
            found[0] = f"{self.system}\n\n{found[0][0]}", found[0][1]
        return found

    @property
    def key(self) -> tuple[str, str]:
        """The question as a reader would compare it: case and spacing do not count."""
        return squeezed(self.instruction), self.asked_of

    @property
    def asked_of(self) -> str:
        """The second part of `key`: what is asked about, its context and earlier turns."""
        if not (self.earlier or self.context):
            return ""
        return squeezed("\n".join([*self.earlier, self.context]))


_CONTENT = tuple(part.name for part in dataclass_fields(Record) if part.compare)
_RARE = frozenset({"other_responses", "other_documents", "earlier", "system"})


@dataclass(frozen=True)
class BadLine:
    """A line that is no record, and why."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{shortened(self.where)}: {shortened(self.reason, 300)}"


@dataclass(frozen=True)
class Loaded:
    """Records in file order, the lines that are none, and how each source was read, in words."""

    records: list[Record]
    bad: list[BadLine] = field(default_factory=list)
    read: list[str] = field(default_factory=list)


def load(path: Path, spec: Records, refusal: str = "", *, questions: str | None = None) -> Loaded:
    """The records of a file, a folder of files, or a hub data set: what ``spec.source`` says.

    ``path`` is where the source is, if it is no hub id. ``questions`` is the source of a study's
    own questions instead: only what `records` says of columns and encodings holds for them.
    ``refusal`` is the response of records that have no answer.

    Raises RecordsError for a source that is missing, empty, too broken or without the columns that
    it needs, OfflineError for a hub id while offline.
    """
    source = (spec.source or "") if questions is None else questions
    where = path if path.exists() else source
    mapper, loaded = Mapper({str(name): column for name, column in spec.fields.items()}), Loaded([])
    read: list[Table] = []
    for table in _tables(path, source, spec, loaded.read):
        read.append(table)
        _read(table, mapper, refusal, loaded)
    if not loaded.records:
        if mapper.rows and all(mapper.plans[names].missing for names in mapper.rows):
            raise RecordsError(f"{where}: {shortened(mapper.fault(), 1000)}")
        reason = f"; first: {loaded.bad[0]}" if loaded.bad else ""
        raise RecordsError(f"{where}: holds no records{reason}")
    if questions is None and (fault := mapper.absent()):
        raise RecordsError(f"{where}: {shortened(fault, 1000)}")
    share = len(loaded.bad) / (len(loaded.bad) + len(loaded.records))
    if share > spec.max_bad_lines:
        named = "; ".join(map(str, loaded.bad[:5]))
        more = f"; and {len(loaded.bad) - 5} more" if len(loaded.bad) > 5 else ""
        raise RecordsError(
            f"{len(loaded.bad)} of {len(loaded.bad) + len(loaded.records)} lines are broken, over "
            f"records.max_bad_lines ({spec.max_bad_lines:g}): {named}{more}"
        )
    loaded.read[:] = [_said(source, read, mapper), *loaded.read, *_notes(read, mapper)]
    return loaded


def _tables(path: Path, source: str, spec: Records, notes: list[str]) -> Iterator[Table]:
    """What there is to read, each opened once the one before it was read."""
    if not source.startswith(hub.PREFIX) and path.exists():
        found = [path]
        if path.is_dir():
            found, left_out = files.folder(path)
            notes += left_out
        for file in found:
            yield files.table(file, spec.encoding)
        return
    name = hub.named(source, path.parent.parent)
    get = f"; get it: {spec.origin}" if spec.origin and source == spec.source else ""
    if name is None:
        raise RecordsError(
            f"{path}: no such file or folder; name a file ({files.ENDINGS}), a folder or a hub "
            f"id{get}"
        )
    split = hub.split_of(source)[1] or spec.hub_split
    try:
        rows = hub.dataset_rows(name, spec.revision, split, spec.hub_config)
    except OfflineError as error:
        raise OfflineError(f"{error}{get}") from None
    config = f" of {spec.hub_config}" if spec.hub_config else ""
    yield Table(name, f"hub data set, split {split}{config}", numbered(name, rows))


def _read(table: Table, mapper: Mapper, refusal: str, loaded: Loaded) -> None:
    """Add the table's records, and its rows that are none."""
    add = loaded.records.append
    with collection.paused():
        for row in table.rows:
            try:
                values = mapper.read(_object(row.values))
                if fields.is_plain(values):
                    add(Record.of_texts(values))
                else:
                    add(Record(**fields.read(values, refusal)))
            except fields.NoRecord as error:
                loaded.bad.append(BadLine(row.where, str(error)))


def _object(values: Any) -> Mapping[str, Any]:
    """The row's values by column.

    Raises NoRecord where it has none.
    """
    if isinstance(values, BadRow):
        raise fields.NoRecord(str(values))
    if not isinstance(values, dict):
        raise fields.NoRecord("not a JSON object")
    if isinstance(values, Twice):
        raise fields.NoRecord(f"has two values for {named(values.name)}; keep one")
    return values


def _said(source: str, read: Sequence[Table], mapper: Mapper) -> str:
    """What was read, in which encoding, and which column is what."""
    kinds = dict.fromkeys(table.kind for table in read)
    encodings = dict.fromkeys(table.encoding for table in read if table.encoding)
    many = f"{len(read)} files, " if len(read) > 1 else ""
    written = f", in {' and '.join(encodings)}" if encodings else ""
    return f"{source}: {many}{' and '.join(kinds)}{written}; {mapper.said()}"


def _notes(read: Sequence[Table], mapper: Mapper) -> Iterator[str]:
    """What else is to be known of it."""
    for table in read:
        yield from (f"{table.name}: {note}" for note in table.notes)
    if count := mapper.unanswered:
        ends = "conversation ends" if count == 1 else "conversations end"
        yield f"{count} {ends} with a question that nobody answers; it is left out"


def squeezed(text: str) -> str:
    """A text without case and spacing that counts."""
    return " ".join(text.lower().split())
