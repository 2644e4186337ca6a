"""Tables of bars in plain text (Markdown, Org) as rows that say their columns."""

import re

from ragtune.sources.readers.base import Table
from ragtune.sources.readers.table import Grid, marked

RULE = re.compile(
    r"^[ \t]*+\|?+[ \t]*+:?+-++:?+[ \t]*+(?:[|+][ \t]*+:?+-++:?+[ \t]*+)*+\|?+[ \t]*+\r?$", re.M
)
"""The line below a header; possessive, so that a long line of blanks takes one pass."""
_CELL = re.compile(r"(?<!\\)\|")
_FENCE = ("```", "~~~")
_CAPTION = re.compile(r"(?:table|tabelle|tableau|tabla|tab\.)\s*\S*\d|.*[:\uff1a]$|\u8868", re.I)


def read(text: str) -> tuple[str, tuple[Table, ...]]:
    """The text with its tables as rows of ``column: value``, and where they are."""
    if "|" not in text or not RULE.search(text):
        return text, ()
    lines = text.splitlines(keepends=True)
    made: list[str] = []
    tables: list[Table] = []
    place, offset, fenced = 0, 0, False
    while place < len(lines):
        fenced ^= lines[place].lstrip().startswith(_FENCE)
        end = 0 if fenced else _end(lines, place)
        if not end:
            made.append(lines[place])
            offset += len(lines[place])
            place += 1
            continue
        rows = "\n".join(_grid(lines[place:end]).lines())
        if rows:
            tables.append(Table(offset, offset + len(rows), _caption(made)))
        made.append(rows + "\n")
        offset += len(rows) + 1
        place = end
    return "".join(made), tuple(tables)


def _end(lines: list[str], start: int) -> int:
    """Where the table that starts on this line ends; 0 where none does."""
    rule = start + (0 if RULE.match(lines[start]) else 1)
    if rule >= len(lines) or "|" not in lines[start] or "|" not in lines[rule]:
        return 0
    if not RULE.match(lines[rule]) or "-" not in lines[rule]:
        return 0
    if rule > start and len(cells(lines[start])) != len(cells(lines[rule].replace("+", "|"))):
        return 0
    end = rule + 1
    while end < len(lines) and "|" in lines[end] and lines[end].strip():
        end += 1
    return end if end > rule + 1 or rule > start else 0


def _grid(lines: list[str]) -> Grid:
    rules = [n for n, line in enumerate(lines) if RULE.match(line)]
    rows = [cells(line) for n, line in enumerate(lines) if n not in rules]
    if rules[:1] == [0]:  # Org's rule above a header
        rules = rules[1:]
    head = rules[0] - (len(lines) > 0 and bool(RULE.match(lines[0]))) if rules else 0
    return marked(rows[:head], rows[head:])


def cells(line: str) -> list[str]:
    """The cells of a line between bars, those that are escaped kept."""
    inner = line.strip().removeprefix("|")
    parts = _CELL.split(inner)
    if len(parts) > 1 and not parts[-1].strip():
        parts.pop()
    return [part.strip().replace("\\|", "|") for part in parts]


def _caption(before: list[str]) -> str:
    """The heading above a table, and the line before it where that is its caption."""
    heading = next((line for line in reversed(before) if re.match(r" {0,3}#{1,6}\s", line)), "")
    last = next((line.strip() for line in reversed(before) if line.strip()), "")
    own = last if last != heading.strip() and len(last) < 200 and _CAPTION.match(last) else ""
    return "\n".join(filter(None, [heading.strip().strip("#").strip(), own]))
