"""What a question must have to stand beside documents: a subject, its own words, the right form.

No model judges here. Nothing asks whether retrieval finds the passage or whether a model knows the
answer by itself: that would decide the study beforehand.
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

from ragtune.core.text.content import is_content, stem
from ragtune.core.text.words import tokens
from ragtune.questions.facts import Fact
from ragtune.questions.senses import (
    asks_contrary,
    asks_of_another,
    bounds_otherwise,
    counts_nothing,
    drops_not,
)
from ragtune.questions.stems import VAGUE, content, stems
from ragtune.sources.readers.table import BAR

Fault = Literal[
    "is no question", "names nothing", "gives its answer", "repeats its sentence",
    "asks for something else", "asked before", "is answered otherwise", "is answered nearby",
    "has no answer", "is doubtful"
]  # fmt: skip
"""Why a draft was dropped; the last ones are the reader's and the drafter's."""
LENGTH = (4, 26)
"""Words of a question."""
COPIED = 5
"""Words in a row, articles left out, that a question may have from its sentence."""
COVERED = 0.85
"""The share of its sentence's content words that a question may have, where they are many."""
FOREIGN = 2
"""Content words that a question may have which neither its passage nor the title has."""
ALIKE = 0.8
"""Shared content words by which two questions are one."""
_WH = (
    "What|Which|Who|Whom|Whose|When|Where|Why|How|At|By|For|From|In|Into|Of|On|Out|To|Under|Up|"
    "Until|Since|With|After|Against|Over|Through|Within|Before|During|About|Because|Beside|Besides|"
    "Between|"
    "Apart|As|Is|Are|Does|Do|Did|Was|Were|Can|Must|May|Has|Have|Till|Along|Across|Behind|Near"
)
_STARTS = re.compile(rf"^(?:{_WH})\b")
_OTHER_SCRIPT = re.compile(r"[^\x00-\u024f\u2000-\u206f\u20a0-\u20cf]")
_LOOSE = re.compile(
    r"\b(?:it|they|them|he|she|him|this|these|those|here|the former|the latter|the same|"
    r"(?:the|this) (?:passages?|text|sentence|document)|(?:afore|above-)?mentioned)\b", re.I
)  # fmt: skip
_ASKED: dict[str, re.Pattern[str]] = {
    "count": re.compile(r"\bhow (?:many|much)\b|\bnumber of\b|\bwhat number\b", re.I),
    "person": re.compile(r"^(?:(?:To|By|From|With|For|Of) )?(?:who|whom|whose)\b", re.I),
    "time": re.compile(
        r"^(?:(?:Since|Until|By|From|Till) )?when\b|\b(?:what|which) (?:time|date|day|year|month|"
        r"week|evening|morning|hour|season)\b", re.I),
    "often": re.compile(r"\bhow (?:often|frequently)\b|\bwhat intervals?\b", re.I),
    "extent": re.compile(r"\bhow (?:long|far|old|high|deep|heavy|big|large|wide|fast|tall|warm|"
                         r"cold|hot|soon|late|early|quickly|thick|strong)\b", re.I),
    "place": re.compile(r"^(?:From |To )?where\b", re.I),
    "reason": re.compile(r"^why\b|\bfor what reason\b|\bwhat is the reason\b|\bhow come\b", re.I),
    "manner": re.compile(r"^how (?:is|are|do|does|did|can|must|was|were|should|may|will)\b", re.I),
    "closed": re.compile(r"^(?:is|are|does|do|did|was|were|can|must|may|has|have)\b", re.I),
}  # fmt: skip
_WRONG: dict[str, frozenset[str]] = {
    "figure": frozenset(("person", "place", "reason")),
    "date": frozenset(("person", "place", "reason", "count", "often")),
    "name": frozenset(("time", "often", "reason", "extent", "manner")),
    "code": frozenset(("time", "often", "reason", "extent", "person")),
    **dict.fromkeys(
        ("phrase", "definition", "list"), frozenset(("time", "often", "reason", "extent", "count"))
    ),
}
"""What a question for a kind of answer does not ask."""
_NEEDED: dict[str, tuple[frozenset[str], re.Pattern[str]]] = {
    "figure": (
        frozenset(("count", "extent", "time", "often")),
        re.compile(
            r"\b(?:price|cost|fine|fee|sum|amount|charge|rate|rent|wage|pay|budget|number|figure|share|"
            r"percentage|quantity|temperature|depth|length|weight|height|width|size|speed|age|"
            r"distance|area|limit|minimum|maximum|capacity|period|duration|interval|range|load|"
            r"volume|value|least|most|extension|code|channel|room|page|level)\b",
            re.I,
        ),
    ),
    "date": (
        frozenset(("time", "often", "extent")),
        re.compile(r"\b(?:date|time|days?|year|month|season|deadline|hour|period|weekday)\b", re.I),
    ),
}
"""What a question for a figure or a date asks or names, in rows of tables excepted."""
_COUNTS = frozenset(
    map(
        stem, ["times", "people", "days", "weeks", "months", "years", "hours", "minutes", "members"]
    )
)
"""What is counted so often that a wrong figure before it goes unnoticed."""
_AFTER = frozenset(("after", "within", "every", "before"))
_AHEAD = re.compile(r" (?:ahead|before|after|later|earlier|ago|in advance|beforehand)\b")
_SOON = re.compile(
    r"\b(?:after|within|before|soon|fast|quickly|early|when|ahead|deadline|advance|later|ago)\b",
    re.I,
)
_COLUMNS = [
    re.compile(pattern, re.I)
    for pattern in (
        r"\bhow much\b|\b(?:price|cost|fee|charge|fare|rate)s?\b",
        r"\bwhen\b|\b(?:date|day|time|evening|month|year)s?\b|\bhours?\b",
        r"\bwho\b|\b(?:name|person|teacher|instructor|contact|manager|leader|head|holder)s?\b",
        r"\bwhere\b|\b(?:room|place|town|city|location|address|building)s?\b",
    )
]
"""What a column may be called, and how it is asked for where its name is not said."""
_CROOKED = re.compile(r"\b(?:does|do|did)\b.*\bbe\b|\b(?:is|are|was) (?:is|are|was)\b", re.I)
"""Two verbs where English has one: "when do the lockers be emptied"."""
_NUMBER_OF = re.compile(r"\bnumber of \w+s\b|\bhow many\b", re.I)
_HOW_MANY = re.compile(r"\bhow many ((?:[\w-]+ )?[\w-]+)", re.I)
PLACED = re.compile(
    r"^(?:in|on|at|behind|under|beside|near|next to|inside|outside|above|below|opposite)\b", re.I
)
"""A phrase that says where."""
_PERIOD = re.compile(r"\b(?:second|minute|hour|day|night|week|month|year)s?\b", re.I)
_INTERVAL = re.compile(
    r"^(?:every|each|once|twice|three times)\b|\ba (?:day|week|month|year)$", re.I
)


def fault_of(question: str, fact: Fact) -> Fault | None:
    """Why a question cannot be asked for a fact; None where no rule speaks against it."""
    return next((fault for fault, holds in _FAULTS if holds(question, fact)), None)


def gives_away(question: str, answer: str) -> bool:
    """Whether a question holds its answer, or all that the answer says."""
    if answer.casefold() in question.casefold():
        return True
    said = set(content(answer))
    return bool(said) and said <= set(content(question))


def names_subject(question: str, passage: str) -> bool:
    """Whether a question says what it is about in words of the passage, and few others."""
    if _LOOSE.search(question):
        return False
    asked = {word for word in content(question) if word not in VAGUE and not word.isdigit()}
    known = set(content(passage))
    capitals = any(token.capital for token in tokens(question)[1:] if is_content(token))
    return bool(asked & known) and (len(asked) >= 2 or capitals) and len(asked - known) <= FOREIGN


def misjudges_time(question: str, fact: Fact) -> bool:
    """Whether "how long" is asked where something happens after, within or every so long."""
    text = fact.sentence.text
    before = text[: fact.start].rstrip().rpartition(" ")[2].lower()
    if fact.kind != "figure" or not _PERIOD.search(fact.answer):
        return False
    first = fact.answer.partition(" ")[0].lower()
    if before not in _AFTER and first not in _AFTER and not _AHEAD.match(text[fact.end :]):
        return False
    often = _ASKED["often"].search(question)
    return not often if before == "every" else not _SOON.search(question)


def misses_column(question: str, fact: Fact) -> bool:
    """Whether a cell of a table is asked for by what its column is not: a price for a deposit."""
    if not fact.sentence.is_line or BAR not in fact.sentence.text:
        return False
    column = fact.sentence.text[: fact.start].rpartition(BAR)[2].strip(" :")
    named = stems(column)
    if named & stems(question):
        return False
    return not any(look.search(column) and look.search(question) for look in _COLUMNS)


def counts_another(question: str, fact: Fact) -> bool:
    """Whether "how many" is asked of something that the passage does not count."""
    if fact.kind == "code" and _NUMBER_OF.search(question):
        return True
    found = _HOW_MANY.search(question)
    counted = set(content(found[1])) if found else set()
    said = {stem(word) for word in re.findall(r"[a-z-]+", fact.sentence.text.lower())}
    return bool(counted) and not counted & said


def miscounts(question: str, fact: Fact) -> bool:
    """Whether a question counts something else than its passage does: 20 times for 20 years."""
    known = tokens(fact.passage.shown)
    said = {(one.text, stem(other.text)) for one, other in pairwise(known) if one.value is not None}
    asked = [
        (one.text, stem(other.text))
        for one, other in pairwise(tokens(question))
        if one.value is not None and one.text != "1" and other.kind == "word"
    ]
    figures = {one.text for one in known if one.value is not None}
    return any(
        pair[0] not in figures or (pair not in said and pair[1] in _COUNTS) for pair in asked
    )


def repeats(question: str, fact: Fact) -> bool:
    """Whether a question is its sentence with a question word."""
    if fact.sentence.is_line:
        return False
    asked = [token.text for token in tokens(question) if token.kind != "mark"]
    said = " " + " ".join(t.text for t in tokens(fact.sentence.text) if t.kind != "mark") + " "
    rows = (asked[n : n + COPIED + 1] for n in range(len(asked) - COPIED))
    if any(f" {' '.join(row)} " in said for row in rows):
        return True
    rest = set(content(fact.sentence.text)) - set(content(fact.answer))
    return len(rest) >= 7 and len(rest & set(content(question))) > COVERED * len(rest)


def is_asked_for(question: str, fact: Fact) -> bool:
    """Whether the form of a question fits the kind of its answer: no "who" for a sum."""
    asked = {name for name, pattern in _ASKED.items() if pattern.search(question)}
    if fact.kind == "unanswerable":
        return True
    if fact.kind == "reason":
        return "reason" in asked or bool(re.search(r"\b(?:reason|purpose|aim)\b", question))
    if fact.kind in _NEEDED and not fact.sentence.is_line:
        kinds, named = _NEEDED[fact.kind]
        if not asked & kinds and not named.search(question):
            return False
    wrong = _WRONG[fact.kind] | {"closed"}
    period = bool(_PERIOD.search(fact.answer))
    if fact.kind == "date" and _INTERVAL.search(fact.answer):
        return "often" in asked
    if fact.kind == "figure" and not period:
        wrong = wrong | {"time", "often"}
    if fact.kind in ("name", "code") and not any(t.value is not None for t in tokens(fact.answer)):
        wrong = wrong | {"count"}
    if fact.kind == "phrase" and PLACED.match(fact.answer):
        return "place" in asked or bool(PLACED.match(question))
    counted = fact.kind == "figure" and period and "how many" in question.lower()
    return not asked & wrong and (not counted or bool(_PERIOD.search(question)))


def is_no_question(question: str, fact: Fact) -> bool:
    """Whether a text has not the form of one question."""
    if not question.endswith(("?", "\uff1f")) or question.count("?") > 1:
        return True
    if _CROOKED.search(question):
        return True
    fits = LENGTH[0] <= len(question.split()) <= LENGTH[1] and _STARTS.match(question)
    return not _OTHER_SCRIPT.search(question) and not fits


_FAULTS: tuple[tuple[Fault, Callable[[str, Fact], bool]], ...] = (
    ("is no question", is_no_question),
    ("gives its answer", lambda question, fact: gives_away(question, fact.answer)),
    ("asks for something else", lambda question, fact: not is_asked_for(question, fact)),
    ("asks for something else", miscounts),
    ("asks for something else", misjudges_time),
    ("asks for something else", counts_another),
    ("asks for something else", asks_contrary),
    ("asks for something else", misses_column),
    ("asks for something else", asks_of_another),
    ("asks for something else", bounds_otherwise),
    ("asks for something else", drops_not),
    ("asks for something else", counts_nothing),
    ("names nothing", lambda question, fact: not names_subject(question, fact.passage.shown)),
    ("repeats its sentence", repeats),
)


def same_question(one: str, other: str) -> bool:
    """Whether two questions ask for the same in nearly the same words."""
    a, b = _asks(one), _asks(other)
    return bool(a | b) and len(a & b) >= ALIKE * len(a | b)


def _asks(question: str) -> set[str]:
    """The content words of a question, and what kinds of things it asks for."""
    kinds = {name.upper() for name, pattern in _ASKED.items() if pattern.search(question)}
    return kinds | set(content(question))


def is_new(question: str, before: Sequence[str]) -> bool:
    """Whether none of the questions before is the same."""
    return not any(same_question(question, one) for one in before)
