"""The rows of a questions file as they are reviewed: ids, texts, and what may change."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ragtune.core.errors import RecordsError
from ragtune.sources.columns import INSTRUCTION, RESPONSE

DIGITS = 12
"""Hexadecimal digits of an id."""

Values = dict[str, Any]
"""A row of the file, by column."""


def read(path: Path) -> list[Values]:
    """The rows of a jsonl file.

    Raises RecordsError, naming file and line, where it is missing or a line is no question.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig") if path.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise RecordsError(f"{path}: cannot be read: {reason}") from None
    if text is None:
        raise RecordsError(f"{path}: no such file; `ragtune questions` writes one")
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            found.append(_row(f"{path}:{number}", line))
    return found


def _row(where: str, line: str) -> Values:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise RecordsError(f"{where}: no JSON object; review takes a jsonl file, a question a line")
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise RecordsError(f"{where}: holds half a character (a lone surrogate)") from None
    for columns in (INSTRUCTION, RESPONSE):
        name = _column(row, columns)
        if not name:
            raise RecordsError(f"{where}: none of {', '.join(columns)} is there as text")
    return row


def _column(row: Values, names: Sequence[str]) -> str:
    """The first of these columns that is text, or a list of texts."""
    return next((name for name in names if _is_text(row.get(name))), "")


def _is_text(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, str) for one in value)
    return isinstance(value, str)


def question(row: Values) -> str:
    """What is asked."""
    return _shown(row[_column(row, INSTRUCTION)])


def answer(row: Values) -> str:
    """The answer; several, one a line."""
    return _shown(row[_column(row, RESPONSE)])


def text(row: Values, column: str) -> str:
    """A column as text; empty where there is none."""
    return _shown(row[column]) if _is_text(row.get(column)) else ""


def _shown(value: str | list[str]) -> str:
    return "\n".join(value) if isinstance(value, list) else value


def changed(row: Values, asked: str | None, answered: str | None, reviewed: bool | None) -> Values:
    """The row with another question or answer; ``reviewed`` None leaves what it says of that."""
    new = dict(row)
    for columns, value in ((INSTRUCTION, asked), (RESPONSE, answered)):
        if value is not None:
            name = _column(row, columns)
            lines = [line.strip() for line in value.split("\n") if line.strip()]
            new[name] = lines if isinstance(row[name], list) else value
    if reviewed is not None:
        new["reviewed"] = reviewed
    return new


def key(row: Values) -> str:
    """Digits over all that a row says but whether it was reviewed: equal rows have equal digits."""
    content = {name: value for name, value in row.items() if name != "reviewed"}
    # A number is not at its beginning, or a spreadsheet would take some ids for numbers.
    return "q" + hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:DIGITS]


def numbered(keys: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """The ids of rows: their digits, and a number where several rows are equal."""
    seen = Counter(one.partition("-")[0] for one in taken)
    found = []
    for one in keys:
        seen[one] += 1
        found.append(one if seen[one] == 1 else f"{one}-{seen[one]}")
    return found
