"""Which stretch of a text answers a person's question, by what the person answered.

An answer is a sentence of its own as a rule, or says more than was asked. What it says beyond its
question is looked for in the text; then a stretch of the kind that is asked for; then what a reader
answers, where that is most of it. What is left is not used: a wrong stretch teaches to ask for
something else than what is marked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from ragtune.questions.facts import Fact, facts_of
from ragtune.questions.passages import Passage, Sentence, is_askable
from ragtune.questions.row import Kind
from ragtune.questions.rules import is_asked_for
from ragtune.questions.stems import content

NEW = 10
"""Content words that an answer may say beyond its question."""
MOSTLY, PARTLY = 0.45, 0.2
"""The share of them that a reader's answer has to have, and where it is a date or a figure."""
SAID = 40
"""Words of an answer of which one is looked for."""
BESIDE = 2
"""Content words of the stretch that the answer need not have."""
COVERED = 0.7
"""The share of these that the text has to have."""
LONGEST = 12
"""Words of an answer, as at drafting."""
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|won|began|became|consisted|which|who|that|gave|made|took)\b"
)
"""What makes a clause of a stretch: no answer but to why and how."""
_PREDICATE = re.compile(r"(?:\w+ed|derives|originates|stud\w+|traces?|known|used?) ")
_WORD = re.compile(r"\S+")
_PARTS = re.compile(r"[-\u2013\u2014/()\[\]\"\u201c\u201d,;:]+(?!\d)|['\u2019]s$")
_EDGES = "\"'\u201c\u201d\u2018\u2019([{)]},.;:!?"


def keys(text: str) -> frozenset[str]:
    """The content words of a text taken one by one: a date is three, as part of it may be said."""
    return frozenset(key for word in _WORD.findall(text) for part in _PARTS.split(word)
                     for key in content(part))  # fmt: skip


def by_words(question: str, response: str, sentences: Sequence[Sentence]) -> Fact | None:
    """The stretch of a sentence that says what the answer says beyond the question."""
    known = keys(question)
    beyond = keys(response) - known
    whole = {word for one in sentences for word in keys(one.text)}
    new = beyond & whole
    if not new or not COVERED * len(beyond) <= len(new) <= NEW:
        return None
    found: list[tuple[int, int, Fact]] = []
    for one in sentences:
        stretch = _stretch(one.text, new) if is_askable(one) else None
        if stretch is None:
            continue
        fact = _snapped(question, Fact(Passage(one, one.text), *stretch, "phrase"), new)
        if fact and (fact.kind == "phrase" or is_asked_for(question, fact)):
            found.append((len(known & keys(one.text)), -one.place, fact))
    return max(found, key=lambda each: each[:2])[2] if found else None


_KINDS: tuple[tuple[re.Pattern[str], frozenset[Kind]], ...] = (
    (re.compile(r"^(?:\w+ )?when\b|\b(?:what|which) (?:year|date|month|day)\b", re.I),
     frozenset(("date",))),
    (re.compile(r"\bhow (?:many|much|long|old|far|tall|big|large|high|deep|fast|wide)\b|"
                r"^what (?:is|was) the (?:\w+ )?(?:population|length|height|area|age|number|price|"
                r"size|distance|cost|capacity)\b", re.I), frozenset(("figure",))),
    (re.compile(r"^(?:by |to |with )?who(?:m|se)?\b", re.I), frozenset(("name",))),
    (re.compile(r"^(?:from )?where\b", re.I), frozenset(("name", "phrase"))),
)  # fmt: skip
"""What a question with such a beginning asks for."""


def by_kind(question: str, response: str, sentences: Sequence[Sentence]) -> Fact | None:
    """The one stretch that drafting would ask for which the answer has and the question has not.

    It is looked for in the sentence that says most of what both say.
    """
    kinds = _kinds(question)
    known, told = keys(question), keys(response)
    if not kinds or len(response.split()) > SAID:
        return None
    best: tuple[int, list[Fact]] = (0, [])
    for one in sentences:
        own = keys(one.text)
        near = len(own & (known | told))
        title = keys(one.title)
        if near <= best[0] or not is_askable(one) or 2 * len((own | title) & known) < len(known):
            continue
        if near + len(title & known - own) < COVERED * len(known | told):
            continue
        fitting = [
            fact
            for fact in facts_of(Passage(one, one.text))
            if fact.kind in kinds
            and (said := keys(fact.answer))
            and said <= told
            and not said & known
            and is_asked_for(question, fact)
        ]
        if fitting:
            best = near, fitting
    return best[1][0] if len(best[1]) == 1 else None


def _stretch(text: str, new: Set[str]) -> tuple[int, int] | None:
    """The shortest stretch that has all of the words; None where none is short enough."""
    words = [(hit.start(), hit.end(), keys(hit[0])) for hit in _WORD.finditer(text)]
    best: tuple[int, int] | None = None
    for first, (_, _, own) in enumerate(words):
        if not own & new:
            continue
        seen: set[str] = set()
        for last in range(first, min(len(words), first + LONGEST)):
            seen |= words[last][2]
            if new <= seen:
                if len(seen - new) <= BESIDE and (best is None or last - first < best[1] - best[0]):
                    best = first, last
                break
    if best is None:
        return None
    first, last = best
    if first and re.fullmatch(
        r"(?:the|an?)", text[words[first - 1][0] : words[first - 1][1]], re.I
    ):
        first -= 1
    start, end = words[first][0], words[last][1]
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip("\"'\u201c\u2018([{"))
    return start, start + len(text[start:end].rstrip(_EDGES))


def _snapped(question: str, fact: Fact, new: Set[str]) -> Fact | None:
    """The fact as drafting would mark it, where it has such a one; None where it is no answer."""
    if not fact.answer or len(fact.answer) > 0.7 * len(fact.sentence.text):
        return None
    known = facts_of(fact.passage)
    for one in known:
        said = keys(one.answer)
        if new <= said and len(said - new) <= BESIDE:
            return one
    kinds = _kinds(question)
    inside = [one for one in known if fact.start <= one.start and one.end <= fact.end]
    fitting = [one for one in inside if one.kind in kinds]
    if len(fitting) == 1:
        return fitting[0]
    balanced = all(
        fact.answer.count(a) == fact.answer.count(b) for a, b in ("()", "[]", "\u201c\u201d")
    )
    of_clause = _VERB.search(fact.answer) and not re.match(r"(?:Why|How)\b", question)
    clause = bool(of_clause or _PREDICATE.match(fact.answer))
    whole = balanced and fact.answer.count('"') % 2 == 0 and not clause
    return fact if whole and not kinds & {"date", "figure"} else None


def _kinds(question: str) -> frozenset[Kind]:
    return next((kinds for look, kinds in _KINDS if look.search(question)), frozenset[Kind]())


def by_reading(
    question: str, response: str, sentences: Sequence[Sentence], read: str
) -> Fact | None:
    """The stretch that a reader answered with, where it is most of the person's answer."""
    told, known = keys(response), keys(question)
    said = keys(read)
    if not said or not said <= told or said <= known or len(read.split()) > LONGEST:
        return None
    kinds = _kinds(question)
    measured = bool(kinds) and kinds <= {"date", "figure"}
    if len(said - known) < (PARTLY if measured else MOSTLY) * len(told - known):
        return None
    look = re.compile(rf"(?<!\w){re.escape(read.strip().rstrip('.'))}(?!\w)", re.I)
    found = []
    for one in sentences:
        hits = list(look.finditer(one.text)) if is_askable(one) else []
        if len(hits) == 1:
            fact = Fact(Passage(one, one.text), *hits[0].span(), "phrase")
            near = len((told | known) & keys(one.text))
            found.append((near, -one.place, _snapped(question, fact, said) or fact))
    best = max(found, key=lambda each: each[:2])[2] if found else None
    if best is None or (kinds and best.kind not in kinds):
        return None
    return best if best.kind == "phrase" or is_asked_for(question, best) else None
