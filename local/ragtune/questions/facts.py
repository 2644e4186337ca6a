"""Answers first: stretches of a sentence that somebody may want to know.

English rules on the surface of a sentence, but figures, dates, codes and names in capitals are
found in other languages with spaces as well. Every answer is word for word in its sentence.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ragtune.core.text.clock import CLOCK
from ragtune.questions.passages import Passage, Sentence
from ragtune.questions.patterns import (
    CODE,
    COUNT,
    DATE,
    DAYS,
    DEFINITION,
    LIST,
    MEASURE,
    MONEY,
    MONTHS,
    NAME,
    NO_NAME,
    OBJECT,
    PLACE,
    REASON,
)
from ragtune.questions.row import Kind
from ragtune.sources.readers.table import BAR

LONGEST = 12
"""Words of an answer."""
CELL = 8
"""Words of a table's value that is asked for."""


_TIMES = "|".join((*MONTHS, *DAYS, "noon", "midnight"))


@dataclass(frozen=True)
class Fact:
    """A stretch of a passage's sentence that is asked for."""

    passage: Passage
    start: int
    end: int
    kind: Kind

    @property
    def sentence(self) -> Sentence:
        """The sentence that holds the answer."""
        return self.passage.sentence

    @property
    def answer(self) -> str:
        """The answer, as the sentence has it."""
        return self.sentence.text[self.start : self.end]


def facts_of(passage: Passage) -> list[Fact]:
    """All stretches of a passage's sentence that can be asked for; none lies in another."""
    sentence = passage.sentence
    found: list[Fact] = []
    for inner, end, kind in _spans(sentence):
        start = _with_bound(sentence, inner, kind)
        text = sentence.text[start:end]
        apart = all(end <= one.start or one.end <= start for one in found)
        all_of_it = len(text) > 0.7 * len(sentence.text)
        whole = all_of_it and kind != "definition" and not sentence.is_line
        ranged = kind == "date" and _is_end_of_range(sentence.text, inner, end)
        part = not sentence.is_line and _is_part(sentence.text, inner, end, kind)
        if (
            apart
            and not whole
            and not ranged
            and not part
            and len(text.split()) <= LONGEST
            and passage.text.count(text) == 1
        ):
            found.append(Fact(passage, start, end, kind))
    return found


_BOUNDS = {
    "date": re.compile(r"\b(?:before|until|till|after|since|by|from)(?: the)? $"),
    "figure": re.compile(
        r"\b(?:within|after|up to|at least|at most|no more than|no less than|more than|less than|"
        r"under|over|nearly|almost)(?: the)? $"
    ),
}
"""What makes another answer of a time or a figure: coffee is free before 08:00, not at 08:00."""


def _with_bound(sentence: Sentence, start: int, kind: Kind) -> int:
    """Where an answer starts that has what limits it: "before 08:00", "up to 200 crowns"."""
    found = kind in _BOUNDS and _BOUNDS[kind].search(sentence.text[:start])
    return found.start() if found and not sentence.is_line else start


def _is_end_of_range(text: str, start: int, end: int) -> bool:
    """Whether a time is one end of several: from ten to two, between March and May."""
    before, after = text[:start].rstrip(), text[end:].lstrip()
    joined = re.search(rf"(?:\d ?(?:to|until|and|-|\u2013)|(?:{_TIMES}) ?(?:to|and|-))$", before)
    ahead = rf"(?:(?:to|until|and|-|\u2013) ?\d|(?:to|and|-) ?(?:{_TIMES}))"
    return bool(joined or re.match(ahead, after))


def _is_part(text: str, start: int, end: int, kind: Kind) -> bool:
    """Whether a name or a year only says which thing is meant: Pluto's haze, the 2017 season."""
    after = text[end:]
    if kind == "name":
        return bool(re.match(r"['\u2019]s? [a-z]", after))
    year = kind == "date" and re.fullmatch(r"\d{4}", text[start:end])
    return bool(year and re.search(r"\b(?:the|an?) $", text[:start]) and re.match(r" \w", after))


def _spans(sentence: Sentence) -> Iterator[tuple[int, int, Kind]]:
    text = sentence.text
    if sentence.is_line:
        yield from _cells(text)
        return
    for hit in LIST.finditer(text):
        yield (*hit.span("list"), "list")
    for hit in DEFINITION.finditer(text):
        if hit["what"].split()[0] not in ("It", "This", "That", "There", "He", "She", "They"):
            yield (*hit.span("is"), "definition")
    for hit in REASON.finditer(text):
        clause = re.split(r"[.;,]", hit[0])[0].rstrip()
        yield hit.start(), hit.start() + len(clause), "reason"
    for pattern, kind in _PATTERNS:
        for hit in pattern.finditer(text):
            yield hit.start(), hit.end(), kind
    for start, end in names_in(text):
        yield start, end, "name"
    for hit in OBJECT.finditer(text):
        yield (*hit.span("what"), "phrase")
    for hit in PLACE.finditer(text):
        yield hit.start(), hit.end(), "phrase"


_PATTERNS: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (CODE, "code"),
    (MONEY, "figure"),
    (DATE, "date"),
    (CLOCK, "date"),
    (MEASURE, "figure"),
    (COUNT, "figure"),
)


def names_in(text: str) -> Iterator[tuple[int, int]]:
    """Names in capitals; the first word of the sentence only where it is part of a longer one."""
    for hit in NAME.finditer(text):
        start, end = hit.span()
        words = text[start:end].split()
        while words and NO_NAME.match(words[0]):
            start += len(words[0]) + 1
            words = words[1:]
        if not words or end <= start:
            continue
        if start == 0 and len(words) == 1:
            continue
        yield (
            start,
            start
            + len(text[start:end].rstrip("\u2019'-").removesuffix("'s").removesuffix("\u2019s")),
        )


def _cells(text: str) -> Iterator[tuple[int, int, Kind]]:
    """The values of a row, but the first of several, which names it."""
    place = 0
    cells = text.split(BAR)
    for number, cell in enumerate(cells):
        name, found, value = cell.partition(": ")
        short = 0 < len(value.split()) <= CELL and value.rstrip()[-1:] not in ",;:("
        if found and short and (number or len(cells) == 1):
            start = place + len(name) + 2
            kind: Kind = "figure" if re.search(r"\d", value) else "name"
            yield start, start + len(value.rstrip().rstrip(".")), kind
        place += len(cell) + len(BAR)
