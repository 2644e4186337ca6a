"""A review: the rows, what was decided about each, and the file that follows from both."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from ragtune.core import system
from ragtune.core.errors import RecipeError, RecordsError, RunError
from ragtune.core.files import write_jsonl
from ragtune.questions.review import rows
from ragtune.questions.review.holding import user
from ragtune.questions.review.journal import Decision, Entry, Journal, path_for
from ragtune.questions.review.rows import Values


@dataclass(frozen=True)
class Reviewed:
    """A row as it was drafted, and what holds of it."""

    id: str
    row: Values
    now: Decision

    @property
    def question(self) -> str:
        """What is asked now."""
        return rows.question(self.row) if self.now.question is None else self.now.question

    @property
    def answer(self) -> str:
        """What is answered now."""
        return rows.answer(self.row) if self.now.answer is None else self.now.answer

    @property
    def is_edited(self) -> bool:
        """Whether a person changed its question or its answer."""
        return self.now.question is not None or self.now.answer is not None

    @property
    def line(self) -> Values:
        """The row as the file has it."""
        said = True if self.now.state == "kept" else False if self.row.get("reviewed") else None
        return rows.changed(self.row, self.now.question, self.now.answer, said)


class Review:
    """The rows of a file and the decisions about them; whoever decides holds the file.

    A decision is in the journal first and then in the file, so that at every moment a kill loses
    nothing: what the file has not yet, the next `take_up` writes.
    """

    def __init__(self, file: Path) -> None:
        """Read the file and its journal; nothing is written.

        Raises RecordsError where the file holds no questions, or the journal is damaged.
        """
        self.file = file
        self.notes: list[str] = []
        self._undo: list[tuple[Decision, ...]] = []
        self._rows: dict[str, Reviewed] = {}
        self._journal = Journal(path_for(file))
        for entry in self._journal.entries:
            self._apply(entry)
        self._seen = self._signature()
        self._new = self._compared(rows.read(file))
        for entry in self._new:
            self._apply(entry)
        if not self._rows:
            raise RecordsError(f"{file}: holds no questions")

    @property
    def all(self) -> list[Reviewed]:
        """Every row, dropped ones as well, in the order of the file."""
        return list(self._rows.values())

    @property
    def counts(self) -> dict[str, int]:
        """How many are open, kept and dropped."""
        found = Counter(one.now.state for one in self._rows.values())
        return {"open": found["open"], "kept": found["kept"], "dropped": found["dropped"]}

    @property
    def can_undo(self) -> bool:
        """Whether there is a decision to take back."""
        return bool(self._undo)

    def __getitem__(self, name: str) -> Reviewed:
        """A row by its id.

        Raises RecipeError where there is none.
        """
        if name not in self._rows:
            raise RecipeError(f"{name}: no row of {self.file.name} has this id")
        return self._rows[name]

    def take_up(self) -> None:
        """Write down what is new since last time, before anything is decided.

        Raises RunError where journal or file cannot be written.
        """
        if self._new:
            self._journal.add(self._new)
            self._new = []
        wanted = self._lines()
        if wanted != rows.read(self.file):
            self._write(wanted)

    def decide(self, decisions: Sequence[Decision], how: Literal["page", "csv"] = "page") -> None:
        """Take decisions together; they are on the disk when this returns.

        Raises RecipeError where one is none, RunError where the file was changed elsewhere or
        cannot be written.
        """
        asked = [self._checked(one) for one in decisions]
        self._take(Entry(how, _now(), user(), (), tuple(asked)))

    def undo(self) -> tuple[str, ...]:
        """Take back what was decided last, and give the ids of its rows.

        Raises RecipeError where there is nothing to take back.
        """
        if not self._undo:
            raise RecipeError("nothing to undo")
        before = self._undo[-1]
        self._take(Entry("undo", _now(), user(), (), before))
        return tuple(one.id for one in before)

    def _checked(self, wanted: Decision) -> Decision:
        """The decision; a text that is as it was drafted is no edit."""
        known = self[wanted.id]
        asked = _edit(wanted.question, rows.question(known.row))
        answered = _edit(wanted.answer, rows.answer(known.row))
        if asked is not None and not asked:
            raise RecipeError("the question is empty; drop the row instead")
        if answered is not None and not answered and rows.answer(known.row).strip():
            raise RecipeError("the answer is empty; drop the row instead")
        return replace(wanted, question=asked, answer=answered)

    def _take(self, entry: Entry) -> None:
        if self._signature() != self._seen:
            raise RunError(
                f"{self.file}: was changed elsewhere meanwhile; start `ragtune review` again, it "
                "takes up what is there"
            )
        self._journal.add([entry])
        self._apply(entry)
        self._write(self._lines())

    def _apply(self, entry: Entry) -> None:
        for name, row in entry.rows:
            state: Literal["kept", "open"] = "kept" if row.get("reviewed") is True else "open"
            self._rows[name] = Reviewed(name, row, Decision(name, state))
        before = tuple(self._rows[one.id].now for one in entry.decisions if one.id in self._rows)
        for one in entry.decisions:
            if one.id in self._rows:
                self._rows[one.id] = replace(self._rows[one.id], now=one)
        if entry.how == "undo":
            self._undo.pop()
        elif entry.how != "file":
            self._undo.append(before)

    def _lines(self) -> list[Values]:
        return [one.line for one in self._rows.values() if one.now.state != "dropped"]

    def _write(self, lines: Sequence[Values]) -> None:
        try:
            # Behind a link is the file that is meant.
            write_jsonl(self.file.resolve(), lines)
        except OSError as error:
            told = system.explain(error) or RunError(f"{self.file}: {error}")
            raise RunError(f"{told}; the decision is in {self._journal.path.name}") from None
        finally:
            self._seen = self._signature()

    def _signature(self) -> tuple[int, int, int] | None:
        try:
            found = self.file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _compared(self, present: Sequence[Values]) -> list[Entry]:
        """What was changed in the file elsewhere, as entries: rows that came, rows that went.

        What the last entry decided may not be in the file yet, for a kill comes between the two.
        """
        entries = self._journal.entries
        last = {one.id for one in entries[-1].decisions} if entries else set[str]()
        names = _known(entries, self._rows)
        came, here = list[Values](), set[str]()
        for row in present:
            free = [name for name in names.get(rows.key(row), ()) if name not in here]
            shown = [name for name in free if self._rows[name].now.state != "dropped"]
            if free:
                here.add((shown or free)[0])
            else:
                came.append(row)
        added = rows.numbered((rows.key(row) for row in came), self._rows)
        found = []
        if came:
            both = tuple(zip(added, came, strict=True))
            found.append(Entry("file", _now(), user(), both))
            if entries:
                self.notes.append(f"{len(came)} rows are new in the file")
        gone = [one for one in self._rows.values() if one.id not in here | last]
        gone = [one for one in gone if one.now.state != "dropped"]
        if gone:
            dropped = tuple(replace(one.now, state="dropped") for one in gone)
            found.append(Entry("file", _now(), user(), (), dropped))
            self.notes.append(
                f"{len(gone)} rows are no longer in the file; they are among the dropped ones"
            )
        return found


def _known(entries: Sequence[Entry], known: dict[str, Reviewed]) -> dict[str, list[str]]:
    """The ids of rows by the digits of everything that they said at any time."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, one in known.items():
        found[rows.key(one.row)].append(name)
    for entry in entries:
        for decision in entry.decisions:
            if decision.id in known:
                line = rows.changed(
                    known[decision.id].row, decision.question, decision.answer, None
                )
                if decision.id not in found[digits := rows.key(line)]:
                    found[digits].append(decision.id)
    return found


def _edit(text: str | None, drafted: str) -> str | None:
    """A text without the space around it; None where it is what was drafted."""
    return None if text is None or text.strip() == drafted.strip() else text.strip()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
