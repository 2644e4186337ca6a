"""Which column of a source is which field of a record.

The names are those of the usual forms: Dolly, Alpaca, ShareGPT, chat messages, prompt and
completion, question and answer, SQuAD. ``records.fields`` names others.
"""

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ragtune.core.text.shortening import named, shortened
from ragtune.sources import turns
from ragtune.sources.fields import NoRecord

INSTRUCTION = ("instruction", "question", "prompt", "query", "input")
RESPONSE = ("response", "output", "completion", "answer", "answers", "target")
CONTEXT = ("context", "input", "question", "passage")
CONVERSATION = ("messages", "conversations", "conversation", "dialogue", "dialog")
SYSTEM = ("system", "system_prompt")
ALONE = (
    *("category", "evidence", "group", "document", "documents", "other_documents"),
    *("answers", "other_responses", "unanswerable", "is_impossible", "earlier"),
    "reviewed",
)
"""Columns that mean what they are called."""
KNOWN = tuple(dict.fromkeys((*INSTRUCTION, *RESPONSE, *CONTEXT, *CONVERSATION, *SYSTEM, *ALONE)))
FORMS = (
    ({"instruction", "input", "output"}, "Alpaca's form"),
    ({"instruction", "output"}, "Alpaca's form"),
    ({"instruction", "response"}, "Dolly's form"),
    ({"question", "answers"}, "SQuAD's form"),
    ({"question", "answer"}, "question and answer"),
    ({"prompt", "completion"}, "prompt and completion"),
    ({"conversations"}, "ShareGPT's form"),
    ({"messages"}, "chat messages"),
)
SHOWN = 12
"""Columns that a sentence names, before it counts the others."""
COMPARED, LONGEST = 200, 60
"""Columns, and letters of each, that are compared with the known names."""


class Unmapped(NoRecord):
    """A row without a column for its question or its response."""

    def __init__(self, missing: str) -> None:
        rest = '; write "" where a question has no answer' if missing == "response" else ""
        super().__init__(f"{missing} is missing{rest}")
        self.missing = missing


@dataclass(frozen=True)
class Plan:
    """How rows with the same columns are read: the columns of each field, and those left over."""

    fields: tuple[tuple[str, tuple[str, ...]], ...]
    unused: tuple[str, ...]
    missing: str = ""
    plain: tuple[tuple[str, str], ...] = ()
    """The column of each field, where each has one of its own and none may be a conversation."""
    as_named: bool = False
    """Whether these are all the columns, and called what the fields are."""

    def column(self, name: str) -> str | None:
        """The first column of a field."""
        return next((columns[0] for field, columns in self.fields if field == name), None)


@dataclass
class Mapper:
    """Reads rows of one source, and remembers how; ``named`` is `records.fields`."""

    named: Mapping[str, str]
    plans: dict[tuple[str, ...], Plan] = field(default_factory=dict)
    rows: Counter[tuple[str, ...]] = field(default_factory=Counter)
    unanswered: int = 0

    def read(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """The values of a row by the names that `fields.read` knows.

        Raises NoRecord.
        """
        names = tuple(row)
        plan = self.plans.get(names)
        if plan is None:
            plan = self.plans[names] = self._plan(names, row)
        self.rows[names] += 1
        if plan.missing:
            raise Unmapped(plan.missing)
        if plan.plain:
            read = row if plan.as_named else {name: row[column] for name, column in plan.plain}
            if type(read.get("instruction")) is str:
                return read
        found = {name: _value(row, columns, name) for name, columns in plan.fields}
        if (talk := found.pop("messages", None)) is not None:
            found |= self._conversation(talk, str(plan.column("messages")))
        elif turns.is_conversation(found.get("instruction")):
            answer = found.get("response")
            asked, name = found["instruction"], str(plan.column("instruction"))
            if isinstance(answer, str):
                answer = [{"role": "assistant", "content": answer}]
            found |= self._conversation([*asked, *(answer or [])], name)
        if "history" in found:
            try:
                found["earlier"] = turns.pairs(found.pop("history"))
            except turns.NoConversation as error:
                raise NoRecord(f"history {error}") from None
        return found

    def _conversation(self, value: Any, name: str) -> dict[str, Any]:
        try:
            found = turns.read(value)
        except turns.NoConversation as error:
            raise NoRecord(f"{name} {error}") from None
        self.unanswered += bool(found.pop("unanswered"))
        return {key: text for key, text in found.items() if text}

    def _plan(self, names: Sequence[str], row: Mapping[str, Any]) -> Plan:
        columns = {
            name: (column,)
            for name, column in self.named.items()
            if column in row or column.partition(".")[0] in row
        }
        choice = _Choice(row, names, columns)
        choice.make()
        fields, unused = tuple(choice.columns.items()), (*choice.free.values(), *choice.again)
        alone = all(len(columns) == 1 and columns[0] in row for _, columns in fields)
        plain = alone and choice.columns.keys().isdisjoint(("messages", "history"))
        each = tuple((name, columns[0]) for name, columns in fields) if plain else ()
        as_named = all(name == column for name, column in each) and len(each) == len(names)
        return Plan(fields, unused, choice.missing, each, as_named)

    @property
    def form(self) -> str:
        """The name of the form that most rows have; empty for none that has a name."""
        used = {_plain(c) for columns in self.columns.values() for c in columns}
        return next((name for names, name in FORMS if names <= used), "")

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """The columns of each field, over all rows that were read."""
        found: dict[str, tuple[str, ...]] = {}
        for names, _ in self.rows.most_common():
            for name, columns in self.plans[names].fields:
                found[name] = tuple(dict.fromkeys((*found.get(name, ()), *columns)))
        return found

    @property
    def unused(self) -> list[str]:
        """The columns that nothing is read from."""
        used = {c for columns in self.columns.values() for c in columns}
        plans = [self.plans[names] for names, _ in self.rows.most_common()]
        return [c for c in dict.fromkeys(c for p in plans for c in p.unused) if c not in used]

    def absent(self) -> str:
        """That a column of `records.fields` is in no row; empty where all are in some."""
        found = {column for columns in self.columns.values() for column in columns}
        absent = {name: column for name, column in self.named.items() if column not in found}
        if not absent:
            return ""
        names = list(dict.fromkeys(name for names in self.plans for name in names))
        (field, column), *_ = absent.items()
        near = difflib.get_close_matches(column, names[:COMPARED], 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"records.fields.{field}: no column {column}; the columns are {listed(names)}{hint}"

    def said(self) -> str:
        """In one clause: which form, which column is what, which are not used."""
        told = []
        for name, columns in self.columns.items():
            told.append(f"{name} from {' and '.join(columns)}" if columns != (name,) else name)
        form = f"{self.form}: " if self.form else ""
        unused = self.unused
        found = self.columns
        near = [_with_nearest(name, found) for name in unused[:SHOWN]]
        rest = f"; not used: {listed([*near, *unused[SHOWN:]])}" if unused else ""
        return f"{form}{', '.join(told)}{rest}"

    def fault(self) -> str:
        """Why no row is mapped, which columns there are, and how to map them."""
        plan = self.plans[self.rows.most_common(1)[0][0]]
        names = [name for names in self.plans for name in names]
        names = list(dict.fromkeys(names))
        known = INSTRUCTION if plan.missing == "instruction" else RESPONSE
        near = nearest(plan.unused, known)
        guess = near[0] if near else (named(plan.unused[0], 60) if plan.unused else "COLUMN")
        hint = f" ({near[0]} is nearly {near[1]})" if near else ""
        allowed = ", ".join(known)
        return (
            f"no column for the {plan.missing} ({allowed}); the columns are {listed(names)}{hint}; "
            f"say which one it is: records.fields: {{{plan.missing}: {guess}}}"
        )


class _Choice:
    """Which of a row's columns is what, some being named already."""

    def __init__(
        self, row: Mapping[str, Any], names: Sequence[str], named: Mapping[str, tuple[str, ...]]
    ) -> None:
        self.row, self.named = row, frozenset(named)
        self.columns: dict[str, tuple[str, ...]] = dict(named)
        taken = {part for (column,) in named.values() for part in (column, column.split(".")[0])}
        self.free: dict[str, str] = {}
        self.again: list[str] = []  # the same name in other letters
        for name in names:
            if name not in taken and self.free.setdefault(_plain(name), name) != name:
                self.again.append(name)

    def make(self) -> None:
        """Choose a column for each field that has one."""
        answered = "response" in self.columns or not self.free.keys().isdisjoint(RESPONSE)
        if not answered:
            self._take("messages", [n for n in CONVERSATION if self._is_talk(self.free.get(n))])
        if "messages" in self.columns:
            self._take("context", ["context"])
        else:
            self._take("instruction", INSTRUCTION)
            self._take("response", RESPONSE)
            asked = _plain(self._first("instruction"))
            self._take_all(
                "context", [n for n in CONTEXT if n != "question" or asked == "instruction"]
            )
            self._take("history", ["history"])
        self._take("system", SYSTEM)
        if "response" not in self.named and _plain(self._first("response")) == "answers":
            self.columns["answers"] = self.columns.pop("response")  # its values may be objects
        for name in ALONE:
            self._take(name, [name])

    @property
    def missing(self) -> str:
        """The field without a column that every record must have; empty where there is none."""
        if "messages" in self.columns:
            return ""
        if "instruction" not in self.columns:
            return "instruction"
        # What is said to have no answer needs none, nor does a conversation that has its own.
        enough = {"response", "answers", "other_responses", "unanswerable", "is_impossible"}
        if enough & self.columns.keys() or self._is_talk(self._first("instruction")):
            return ""
        return "response"

    def _take(self, field: str, wanted: Sequence[str]) -> None:
        """Give a field that has no column the first of these that there is."""
        found = next((name for name in wanted if name in self.free), None)
        if found is not None and field not in self.columns:
            self.columns[field] = (self.free.pop(found),)

    def _take_all(self, field: str, wanted: Sequence[str]) -> None:
        """Give a field that has no column all of these that there are."""
        found = [name for name in wanted if name in self.free]
        if found and field not in self.columns:
            self.columns[field] = tuple(self.free.pop(name) for name in found)

    def _first(self, field: str) -> str:
        return self.columns.get(field, ("",))[0]

    def _is_talk(self, column: str | None) -> bool:
        return turns.is_conversation(self.row.get(column or ""))


def listed(names: Sequence[str]) -> str:
    """The names, or the first of them and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(named(name, 60) for name in names[:SHOWN]) + (
        f" and {more} more" if more > 0 else ""
    )


def nearest(names: Sequence[str], known: Sequence[str]) -> tuple[str, str] | None:
    """The name that is most like a known one, and that one; None where none is like it."""
    found = []
    for name in [name for name in names if len(name) <= LONGEST][:COMPARED]:
        for one in difflib.get_close_matches(_plain(name), known, 1, 0.75):
            likeness = difflib.SequenceMatcher(None, _plain(name), one).ratio()
            found.append((likeness, name, one))
    return max(found)[1:] if found else None


def _with_nearest(name: str, columns: Mapping[str, Sequence[str]]) -> str:
    """An unused column, with the known name that it may be meant for."""
    known = [one for one in KNOWN if one not in columns]
    near = None if _plain(name) in KNOWN else nearest([name], known)
    return f"{name} (did you mean {near[1]}?)" if near else name


def _plain(name: str) -> str:
    return "_".join(name.strip().casefold().replace("-", "_").split())


def _value(row: Mapping[str, Any], columns: Sequence[str], name: str) -> Any:
    """The value of a field; contexts of several columns are one text."""
    if len(columns) == 1:
        return row[columns[0]] if columns[0] in row else _at(row, columns[0])
    values = [row.get(column) for column in columns]
    if name != "context":
        return next((value for value in values if value is not None), None)
    from ragtune.sources.fields import text

    texts = [text(column, value) for column, value in zip(columns, values, strict=True)]
    return "\n\n".join(one for one in texts if one.strip())


def _at(row: Any, path: str) -> Any:
    """The value at a dotted path; None where there is none."""
    for key in path.split("."):
        if isinstance(row, list) and key.isdigit() and int(key) < len(row):
            row = row[int(key)]
        elif isinstance(row, Mapping):
            row = row.get(key)
        elif row is None:
            return None
        else:
            raise NoRecord(f"{path}: {key} is looked for in what is no object: {_kind_of(row)}")
    return row


def _kind_of(value: Any) -> str:
    return "a list" if isinstance(value, list) else shortened(repr(value), 40)
