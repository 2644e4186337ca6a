"""Whether an answer is right, and if not, why not: a judgement, where the other metrics measure.

The rules, in the order in which they are asked:

- An empty answer is never right. A refusal is right only where the reference is one (or empty),
  and nothing but a refusal is right there.
- Labels and letters must be equal; yes and no are read off the first word.
- All numbers, dates and times of the reference must be in the answer, by value and with their
  units, and no other value of the same kind in their place: 1.50 mg is 1.5 mg, 15 mg is not, nor
  is "four months, not six" six months. Values about something else may be there as well.
- A list is a set: all its things in any order, and no other.
- A short reference must be contained: in a row, or all its words close together, and not denied.
  Words that the question already says may be left out. In scripts without spaces, characters in
  a row are enough (佐藤さん for 佐藤).
- A long reference, or a sentence, must be recalled: most of its content words, all its names and
  values, and a denial where it has one.

These are rules about words. They do not know that two different words mean the same, or that an
answer with all the words says something else with them.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

from ragtune.core.text.characters import HAN, UNSPACED, cleaned
from ragtune.core.text.refusals import refuses, says_nothing, without_refusals
from ragtune.core.text.words import Token, looks_european, tokens
from ragtune.results.metrics import polarity
from ragtune.results.metrics.amounts import Fault, fault
from ragtune.results.metrics.lists import alternative, extra, items, place
from ragtune.results.metrics.matching import (
    NEGATORS,
    TITLES,
    close,
    exchanged,
    is_content,
    joined,
    negated,
    run,
    same,
    spoken,
    stem,
)

SHORT = 5
"""The most content words of a reference that must be contained; longer ones are recalled."""
ENOUGH = 0.6
"""The share of a long reference's content words that an answer must have."""
NEARLY_ALL = 0.85
"""The share from which another word in the place of one of them is taken for a synonym."""


class Verdict(StrEnum):
    """Right, or the first reason why not."""

    RIGHT = "right"
    EMPTY = "empty"
    REFUSED = "refused"
    NOT_REFUSED = "not refused"
    OTHER_LABEL = "another label"
    OPPOSITE = "the opposite"
    VALUE_MISSING = "a value is missing"
    OTHER_VALUE = "another value"
    CONTRADICTED = "a second value or name contradicts"
    ITEM_MISSING = "a thing of the list is missing"
    ITEM_EXTRA = "a thing too many"
    DENIED = "denied"
    OTHER_WORDS = "other words"


_FAULTS = {
    Fault.MISSING: Verdict.VALUE_MISSING,
    Fault.OTHER: Verdict.OTHER_VALUE,
    Fault.CONTRADICTED: Verdict.CONTRADICTED,
}
_VERSIONS = re.compile(r"\b(?:version|release)s?\b|版本|バージョン", re.I)
_LETTER = re.compile(r"^[\s([]*([A-Za-z])[\s).:\]]*$")
_CHOSEN = (
    re.compile(r"^\W*([A-Za-z])\s*(?:[).:\]]|-\s|$|,)"),
    re.compile(r"\b(?:option|answer|choice|letter|group|type|class|grade|antwort|réponse|opción|选项)"
               r"(?:\s+(?:is|would be|should be))?\s*[:\-]?\s*\W{0,3}([A-Za-z])(?![\w'])", re.I),
    re.compile(r"\b(?:is|be|choose|pick|select|:)\s+\W?([A-Z])(?![\w'])"),
    re.compile(r"^\W*([A-Z])(?![\w'+#-])(?!\s+(?!(?:is|was|because|since|as)\b)[a-z])"),
    re.compile(r"[(\[]([A-Za-z])[)\]]"),
    re.compile(r"^\W*([B-HJ-Z])(?![\w'+#-])"),
)  # fmt: skip
_OPPOSITES = {
    "before": {"after", "since", "from"}, "after": {"before", "until", "till"},
    "until": {"from", "since", "after"}, "from": {"until", "till", "to"}, "to": {"from"},
    "since": {"until", "before"}, "with": {"without"}, "without": {"with"},
    "on": {"under", "off", "below", "beside"}, "under": {"on", "over", "above"}, "over": {"under"},
    "in": {"outside"}, "inside": {"outside"}, "outside": {"inside", "in"}, "up": {"down"},
    "down": {"up"}, "off": {"on"},
}  # fmt: skip
_ANTONYMS = [
    (stem(one), stem(other))
    for one, other in (
        pair.split("/")
        for pair in "open/closed inside/outside above/below left/right first/last increase/decrease "
        "increases/decreases rise/fall rises/falls always/never more/less before/after early/late "
        "high/low higher/lower hot/cold on/off north/south east/west northern/southern "
        "eastern/western minimum/maximum clockwise/anticlockwise clockwise/counterclockwise "
        "up/down upper/lower top/bottom push/pull lock/unlock locked/unlocked start/end "
        "opens/closes arrive/depart near/far long/short large/small big/small day/night wet/dry "
        "front/back public/private male/female full/empty legal/illegal safe/unsafe true/false "
        "older/younger faster/slower internal/external buy/sell accept/reject with/without".split()
    )
]
"""Opposites that answers about documents turn on; an ontology would know more, and weigh more."""
_HONORIFIC = re.compile(r"(?:さん|様|さま|氏|先生|君|くん|ちゃん|です|ます|先生|女士|小姐|님|씨)[。.]?$")
_SENTENCE = re.compile(r"^(?:is|are|was|were|has|have|had|must|can|may|will|should|does|do|did|not)$")


def right(
    answer: str,
    references: str | Sequence[str],
    *,
    question: str = "",
    refusals: Sequence[str] = (),
    labels: Sequence[str] = (),
) -> bool:
    """Whether an answer is right by any of its references; see `judged`."""
    return judged(
        answer, references, question=question, refusals=refusals, labels=labels
    ) is Verdict.RIGHT  # fmt: skip


def judged(
    answer: str,
    references: str | Sequence[str],
    *,
    question: str = "",
    refusals: Sequence[str] = (),
    labels: Sequence[str] = (),
) -> Verdict:
    """Right, or why not by the first reference.

    No reference, an empty one, or a refusal says that there is no answer. ``refusals`` are the
    recipe's own phrases; common wordings are known. ``labels`` are all labels that there are,
    where the references are labels: an answer must then name its own and no other.
    """
    wanted = [references] if isinstance(references, str) else list(references)
    if not any(t.kind != "mark" for t in tokens(answer)):
        return Verdict.EMPTY
    found = [
        _by_one(answer, one, question, tuple(refusals), labels) for one in wanted or [""]
    ]
    return Verdict.RIGHT if Verdict.RIGHT in found else found[0]


def is_unanswerable(reference: str, refusals: Sequence[str] = ()) -> bool:
    """Whether a reference says that there is no answer: empty, or a refusal."""
    return not reference.strip() or refuses(reference, refusals)


def _by_one(
    answer: str, reference: str, question: str, refusals: tuple[str, ...], labels: Sequence[str]
) -> Verdict:
    if is_unanswerable(reference, refusals):
        return Verdict.RIGHT if refuses(answer, refusals) else Verdict.NOT_REFUSED
    if refuses(answer, refusals):
        return Verdict.REFUSED
    if labels:
        return _label(answer, reference, labels)
    if letter := _LETTER.match(cleaned(reference)):
        return _letter(answer, letter[1])
    answer = without_refusals(answer, refusals) if says_nothing(answer, refusals) else answer
    if side := polarity.asked(reference):
        return _yes_or_no(answer, reference, question, side)
    return _content(answer, reference, question)


def _label(answer: str, reference: str, labels: Sequence[str]) -> Verdict:
    """The labels that an answer names and does not deny; longer ones hide those inside them."""
    said = tokens(answer)
    spans: dict[str, list[tuple[int, int]]] = {}
    for label in {*labels, reference}:
        wanted = spoken(tokens(label))
        spans[label] = [s for s in run(said, wanted) if not negated(said, *s)]
    named = {
        label
        for label, places in spans.items()
        if any(not _inside(place, spans, label) for place in places)
    }
    key = [t.text for t in tokens(reference)]
    mine = {label for label in named if [t.text for t in tokens(label)] == key}
    return Verdict.RIGHT if mine and named == mine else Verdict.OTHER_LABEL


def _inside(place: tuple[int, int], spans: dict[str, list[tuple[int, int]]], own: str) -> bool:
    return any(
        start <= place[0] and place[1] <= end and end - start > place[1] - place[0]
        for label, others in spans.items()
        if label != own
        for start, end in others
    )


def _letter(answer: str, letter: str) -> Verdict:
    """The letter that an answer chooses; an article is none."""
    text = cleaned(answer).replace("*", "").strip()
    if re.search(r"\b([A-Z])\s*(?:or|and|/|,|&)\s*([A-Z])(?!\w)", text):
        return Verdict.OTHER_LABEL
    text = re.sub(r"\b(?:not|rather than|instead of)\s+(?:option\s+)?\(?[A-Z]\)?(?!\w)", "", text)
    for pattern in _CHOSEN:
        if chosen := pattern.search(text):
            return Verdict.RIGHT if chosen[1].lower() == letter.lower() else Verdict.OTHER_LABEL
    return Verdict.OTHER_LABEL


def _yes_or_no(answer: str, reference: str, question: str, side: polarity.Polarity) -> Verdict:
    said = polarity.polarity(answer) or polarity.answered(answer, question)
    if said != side:
        return Verdict.OPPOSITE if said in ("yes", "no", "both") else Verdict.OTHER_WORDS
    wanted, told = polarity.rest(reference), polarity.rest(answer)
    more = [t for t in tokens(wanted) if is_content(t)]
    if not more or (not any(is_content(t) for t in tokens(told)) and not any(t.value for t in more)):
        return Verdict.RIGHT
    if wrong := fault(tokens(answer), tokens(wanted), tokens(question)):
        return _FAULTS[wrong]
    known = {stem(t.text) for t in tokens(question)}
    held = sum(any(same(s, t) for s in tokens(answer)) or stem(t.text) in known for t in more)
    return Verdict.RIGHT if held >= 0.5 * len(more) else Verdict.OTHER_WORDS


def _content(answer: str, reference: str, question: str) -> Verdict:
    """Values, lists, short and long references."""
    european = looks_european(f"{reference} {answer} {question}")
    versions = bool(_VERSIONS.search(question) or _VERSIONS.search(reference))

    def read(text: str) -> tuple[Token, ...]:
        return tokens(text, european=european, versions=versions)

    said, wanted, asked = read(answer), read(reference), read(question)
    if [t.text for t in spoken(said)] == [t.text for t in spoken(wanted)] and not any(
        t.value for t in wanted
    ):
        return Verdict.RIGHT
    if joined(said, spoken(wanted)) == (0, len(said)):
        return Verdict.RIGHT
    if wrong := fault(said, wanted, asked):
        whole = joined(said, spoken(wanted)) if any(t.kind == "word" for t in wanted) else None
        if wrong is Fault.CONTRADICTED or whole is None or negated(said, *whole):
            return _FAULTS[wrong]
    light = [t for t in wanted if t.kind == "word" and not is_content(t) and t.text != "and"]
    stopped = reference.rstrip().endswith((".", "!")) and len(spoken(wanted)) > 4 and light
    things = [] if stopped else items(wanted)
    if things:
        return _list(said, wanted, things)
    content = [t for t in wanted if is_content(t)]
    if not content or any(t.kind == "symbol" for t in wanted):
        return Verdict.RIGHT if run(said, spoken(wanted)) else Verdict.OTHER_WORDS
    sentence = len(spoken(wanted)) > 4 and (
        bool(stopped) or any(_SENTENCE.match(t.text) for t in wanted)
    )
    if _is_unspaced(wanted):
        return _characters(said, wanted, reference)
    if len(content) > SHORT or sentence:
        return _recalled(answer, reference, said, wanted, asked)
    return _contained(said, wanted, content, asked, question)


def _list(said: Sequence[Token], wanted: Sequence[Token], things: Sequence[list[Token]]) -> Verdict:
    places = [place(said, thing) for thing in things]
    if run(said, spoken(wanted)) and not extra(said, things):
        return Verdict.RIGHT
    if not all(places):
        return Verdict.ITEM_MISSING
    return Verdict.ITEM_EXTRA if extra(said, things) else Verdict.RIGHT


def _contained(
    said: Sequence[Token],
    wanted: Sequence[Token],
    content: Sequence[Token],
    asked: Sequence[Token],
    question: str,
) -> Verdict:
    """A short reference: in a row, or all of it close together, and not denied."""
    denial = any(t.text in NEGATORS for t in wanted)
    needed = [t for t in content if not (t.capital and t.text in TITLES)] or list(content)
    if denial and any(t.text not in NEGATORS for t in needed):
        needed = [t for t in needed if t.text not in NEGATORS]
        if not any(t.text in NEGATORS for t in said):
            return Verdict.OPPOSITE
    known = {stem(t.text) for t in asked if is_content(t)}
    if all(t.value is not None for t in needed):
        # Their values were compared; what is left is on which side of them.
        places = [n for n, t in enumerate(said) if any(same(t, w) for w in needed)]
        aside = places and all(_opposite(said, wanted, n) for n in places)
        return Verdict.OPPOSITE if aside else Verdict.RIGHT
    new = [t for t in needed if stem(t.text) not in known or t.value is not None]
    spans = [*run(said, spoken(wanted))]
    for tries in (needed, new if new != needed else ()):
        if not spans and tries:
            span = close(said, tries) or joined(said, tries)
            spans = [span] if span else []
    if not spans and (span := joined(said, spoken(wanted))):
        spans = [span]
    if not spans or exchanged(said, wanted):
        return Verdict.OTHER_WORDS
    spans = [s for s in spans if not _opposite(said, wanted, s[0])]
    if not spans:
        return Verdict.OPPOSITE
    if not denial and not any(t.text in NEGATORS for t in asked):
        spans = [
            s for s in spans
            if not negated(said, *s) and not any(t.text in NEGATORS for t in said[slice(*s)])
        ]  # fmt: skip
        if not spans:
            return Verdict.DENIED
    if not any(t.value for t in wanted) and not any(t.text == "or" for t in wanted):
        if all(alternative(said, *s) for s in spans) or extra(said, [needed]):
            return Verdict.CONTRADICTED
    return Verdict.RIGHT


def _opposite(said: Sequence[Token], wanted: Sequence[Token], start: int) -> bool:
    """Whether the opposite small word stands before what was found: after noon, before noon."""
    own = {t.text for t in wanted if t.text in _OPPOSITES}
    if not own:
        return False
    before = {t.text for t in said[max(0, start - 2) : start + 1]}
    return not own & before and any(before & _OPPOSITES[word] for word in own)


def _is_unspaced(wanted: Sequence[Token]) -> bool:
    letters = [t for t in wanted if t.kind == "word"]
    cut = sum(bool(re.match(rf"[{UNSPACED}]", t.text)) for t in letters)
    return bool(cut) and 2 * cut >= len(letters)


def _characters(said: Sequence[Token], wanted: Sequence[Token], reference: str) -> Verdict:
    """Characters in a row, or most pairs of them for a long reference."""
    row = spoken(wanted)
    spans = run(said, row)
    if not spans and (shorter := _HONORIFIC.sub("", cleaned(reference))) and shorter != reference:
        spans = run(said, spoken(tokens(shorter)))
    if spans:
        if not any(t.text in "不没非未無" for t in row):
            spans = [s for s in spans if not negated(said, *s)]
        if not spans:
            return Verdict.DENIED
        if all(alternative(said, *s) for s in spans) or extra(said, [row]):
            return Verdict.CONTRADICTED
        whole = [s for s in spans if not _within_word(said, s[0])]
        return Verdict.RIGHT if whole else Verdict.OTHER_WORDS
    if len(row) < 8:
        return Verdict.OTHER_WORDS
    if polarity.denies(reference) != polarity.denies("".join(t.text for t in said)):
        return Verdict.OPPOSITE
    told = [t.text for t in spoken(said)]
    pairs = {(a.text, b.text) for a, b in zip(row, row[1:], strict=False)}
    held = pairs & set(zip(told, told[1:], strict=False))
    return Verdict.RIGHT if len(held) >= ENOUGH * len(pairs) else Verdict.OTHER_WORDS


_SMALL = set("的了是在和与及去到从由为对给向被把让用以叫名于の、はがをにでともへや")


def _within_word(said: Sequence[Token], start: int) -> bool:
    """Whether one character before makes another word of it: 新大阪 is not 大阪."""
    if not start or said[start - 1].kind != "word" or said[start - 1].text in _SMALL:
        return False
    alone = start == 1 or said[start - 2].kind == "mark"
    return alone and bool(re.match(f"[{HAN}]", said[start - 1].text))


def _recalled(
    answer: str,
    reference: str,
    said: Sequence[Token],
    wanted: Sequence[Token],
    asked: Sequence[Token],
) -> Verdict:
    """A long reference: most content words, all names, and the same side of yes and no."""
    content = [t for t in wanted if is_content(t) and t.text not in NEGATORS]
    known = {stem(t.text) for t in asked if is_content(t)}
    new = [t for t in content if stem(t.text) not in known] or content
    held = [any(same(s, t) for s in said) or joined(said, [t]) is not None for t in new]
    names = [
        t for n, t in enumerate(wanted)
        if t.capital and t.kind == "word" and is_content(t) and (n and wanted[n - 1].kind != "mark" or _starts_name(wanted, n))
    ]  # fmt: skip
    if any(stem(t.text) not in known and not any(same(s, t) for s in said) for t in names):
        return Verdict.OTHER_WORDS
    if sum(held) < ENOUGH * len(new) or exchanged(said, wanted):
        return Verdict.OTHER_WORDS
    if sum(held) < NEARLY_ALL * len(new) and _substituted(said, wanted):
        return Verdict.OTHER_WORDS
    if polarity.denies(reference) != polarity.denies(answer) or _antonyms(said, wanted):
        return Verdict.OPPOSITE
    return Verdict.RIGHT


def _starts_name(wanted: Sequence[Token], n: int) -> bool:
    return n + 1 < len(wanted) and wanted[n + 1].capital and wanted[n + 1].kind == "word"


def _substituted(said: Sequence[Token], wanted: Sequence[Token]) -> bool:
    """Whether another word stands where one of the reference's should, between the same words."""
    row, told = spoken(wanted), spoken(said)
    for n, token in enumerate(row):
        if not is_content(token) or any(same(s, token) for s in told):
            continue
        before = row[n - 1] if n else None
        after = row[n + 1] if n + 1 < len(row) else None
        for k, other in enumerate(told):
            if not is_content(other) or any(same(other, w) for w in row):
                continue
            left = told[k - 1] if k else None
            behind = told[k + 1] if k + 1 < len(told) else None
            sides = [_matches(left, before), _matches(behind, after)]
            if all(sides) or "content" in sides:
                return True
    return False


def _matches(said: Token | None, wanted: Token | None) -> str:
    """What kind of word both are, where they are the same; "" where not."""
    if said is None or wanted is None or not same(said, wanted):
        return ""
    return "content" if is_content(wanted) else "small"


def _antonyms(said: Sequence[Token], wanted: Sequence[Token]) -> bool:
    """Whether the answer has the opposite of a word of the reference, and not the word."""
    mine, theirs = {stem(t.text) for t in wanted}, {stem(t.text) for t in said}
    return any(
        (one in mine) != (other in mine) and (one if one in mine else other) not in theirs
        and (other if one in mine else one) in theirs
        for one, other in _ANTONYMS
    )  # fmt: skip
