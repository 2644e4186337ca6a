"""A review as a spreadsheet for colleagues, and their decisions back from it."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ragtune.core import system
from ragtune.core.errors import RecordsError, RunError
from ragtune.core.files import write_text
from ragtune.core.text.shortening import shortened
from ragtune.questions.review import rows
from ragtune.questions.review.journal import Decision, State
from ragtune.questions.review.session import Review, Reviewed

COLUMNS = (
    *("id", "state", "question", "answer", "sentence", "decision", "new_question", "new_answer"),
    *("document", "kind", "drafted", "passage"),
)
"""The columns; what is read back stands in ``id``, ``decision`` and the two that begin with new."""
TAKEN = frozenset({"id", "decision"})
CELL = 32_000
"""Characters of a cell; Excel takes 32,767."""
MOST = 50 * 1024 * 1024
"""Bytes of a file that is read back."""
WORDS: dict[str, State] = {
    **dict.fromkeys(("keep", "kept", "k", "yes", "y", "x"), "kept"),
    **dict.fromkeys(("drop", "dropped", "d", "no", "n"), "dropped"),
    "open": "open",
}
"""What a decision may be called; an empty one leaves the row as it is."""
# What spreadsheets begin a formula with, in both widths, behind what they skip.
_FORMULA = re.compile(r"'*\s*[=+\-@\t\r\n|%\uff1d\uff0b\uff0d\uff20]")
NAMED = 5
"""Faults that the summary names before it counts the others."""


@dataclass(frozen=True)
class Taken:
    """Decisions that a spreadsheet holds, the rows that it leaves open, and what was not taken."""

    decisions: list[Decision] = field(default_factory=list)
    without: int = 0
    faults: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """What was taken and what was not, a line each."""
        many = len(self.decisions)
        lines = [f"{many} decision{'s' * (many != 1)} taken, {self.without} rows without one"]
        lines += [f"not taken: {one}" for one in self.faults[:NAMED]]
        if (more := len(self.faults) - NAMED) > 0:
            lines.append(f"not taken: {more} more; --json names all")
        return "\n".join(lines)


def write(review: Review, path: Path) -> int:
    """Write all rows as CSV that Excel reads (UTF-8 with a byte order mark); how many they are.

    A text that a spreadsheet would compute begins with an apostrophe.

    Raises RunError where the file is there already, for it may hold decisions, or cannot be
    written.
    """
    if path.exists():
        raise RunError(f"{path}: is there already, maybe with decisions in it; name another file")
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for one in review.all:
        table.writerow([guarded(cell) for cell in _cells(one)])
    try:
        write_text(path, "\ufeff" + out.getvalue())
    except OSError as error:
        raise system.explain(error) or RunError(f"{path}: {error}") from None
    return len(review.all)


def _cells(one: Reviewed) -> Iterator[str]:
    yield from (one.id, one.now.state, one.question, one.answer, rows.text(one.row, "evidence"))
    yield from ("", "", "")
    yield from (rows.text(one.row, name) for name in ("document", "kind", "drafted"))
    yield rows.text(one.row, "context")


def guarded(text: str) -> str:
    """The text as a cell that nothing computes; `plain` gives it back."""
    text = shortened(text, CELL)
    return f"'{text}" if _FORMULA.match(text) else text


def plain(cell: str) -> str:
    """The text of a cell that `guarded` wrote."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def read(review: Review, path: Path) -> Taken:
    """The decisions of a spreadsheet, by the rows' ids.

    Commas, semicolons and tabs are read, UTF-8, UTF-16 and what Excel writes on Windows.

    Raises RecordsError where the file is missing, no table with the needed columns, or has no row
    of this review.
    """
    table = list(_table(path))
    taken, seen, known = Taken(), dict[str, int](), {one.id for one in review.all}
    left = 0
    for number, row in table:
        name = row.get("id", "").strip()
        where = f"{path.name}:{number}: {shortened(name, 40) or 'no id'}"
        if name not in known:
            taken.faults.append(f"{where}: no row of {review.file.name} has this id")
            continue
        if name in seen:
            taken.faults.append(f"{where}: is in line {seen[name]} too")
            continue
        seen[name] = number
        try:
            decision = _decision(review[name], row)
        except ValueError as error:
            taken.faults.append(f"{where}: {error}")
            continue
        if decision is None:
            left += 1
        else:
            taken.decisions.append(decision)
    if not seen:
        raise RecordsError(
            f"{path}: none of its {len(table)} rows has the id of a row of {review.file}; write it "
            "with `ragtune review FILE --csv`"
        )
    return Taken(taken.decisions, left, taken.faults)


def _decision(known: Reviewed, row: dict[str, str]) -> Decision | None:
    """What a row says; None where it says nothing. An edit alone keeps the row.

    Raises ValueError.
    """
    said = row.get("decision", "").strip().lower()
    asked, answered = plain(row.get("new_question", "")), plain(row.get("new_answer", ""))
    if said and said not in WORDS:
        raise ValueError(f"decision {shortened(said, 40)!r} is none of keep, drop, open")
    if not said and not asked.strip() and not answered.strip():
        return None
    return Decision(
        known.id,
        WORDS[said] if said else "kept",
        asked.strip() or known.now.question,
        answered.strip() or known.now.answer,
    )


def _table(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with the number of its last line."""
    text = _text(path)
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    csv.field_size_limit(MOST)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if absent := TAKEN - set(names):
            raise RecordsError(
                f"{path}: no column {', '.join(sorted(absent))}; its first line has to name them, "
                f"as `ragtune review FILE --csv` writes it: {', '.join(COLUMNS)}"
            )
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, dict(zip(names, cells, strict=False))
    except csv.Error as error:
        raise RecordsError(f"{path}:{reader.line_num}: no CSV: {error}") from None


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise RecordsError(f"{path}: no such file")
        if path.stat().st_size > MOST:
            raise RecordsError(f"{path}: larger than {MOST // 1024**2} MB")
        raw = path.read_bytes()
    except OSError as error:
        raise RecordsError(f"{path}: cannot be read: {error.strerror}") from None
    return _decoded(path, raw, _encodings(raw))


def _encodings(raw: bytes) -> Iterable[str]:
    return ("utf-16",) if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252")


def _decoded(path: Path, raw: bytes, encodings: Iterable[str]) -> str:
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RecordsError(f"{path}: neither UTF-8 nor UTF-16; save it as CSV UTF-8")
