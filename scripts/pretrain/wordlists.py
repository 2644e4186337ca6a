"""The files of `words/`: `[name]` starts a section, `#` a comment."""

from __future__ import annotations

from functools import cache
from pathlib import Path

WORDS = Path(__file__).parent / "words"


@cache
def sections(file: str) -> dict[str, tuple[str, ...]]:
    """The lines of each section of a file."""
    table: dict[str, tuple[str, ...]] = {}
    name = ""
    for raw in (WORDS / file).read_text(encoding="utf-8").splitlines():
        line = raw.strip()
        if line.startswith("["):
            name = line.strip("[]")
            table[name] = ()
        elif line and not line.startswith("#"):
            table[name] += (line,)
    return table


def words(name: str, file: str = "names.txt") -> list[str]:
    """The single words of one section of a file."""
    return [word for line in sections(file)[name] for word in line.split()]


@cache
def phrases() -> dict[str, tuple[str, ...]]:
    """Every symbol of `phrases.txt` with the ways to write it."""
    table = sections("phrases.txt")
    return {
        name: tuple(way.strip() for line in lines for way in line.split("|") if way.strip())
        for name, lines in table.items()
    }
