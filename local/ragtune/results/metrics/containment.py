"""Whether an answer contains a reference: in a row, close together, or most of its words."""

import re
from collections.abc import Sequence
from itertools import pairwise

from ragtune.core.text.characters import HAN, UNSPACED, cleaned
from ragtune.core.text.content import is_content, stem
from ragtune.core.text.token import Token
from ragtune.core.text.words import tokens
from ragtune.results.metrics import polarity
from ragtune.results.metrics.claims import of_other
from ragtune.results.metrics.judgement import Judgement
from ragtune.results.metrics.lists import alternative, alternative_unspaced, extra
from ragtune.results.metrics.matching import (
    close,
    exchanged,
    joined,
    negated,
    run,
    same,
    spoken,
)
from ragtune.results.metrics.vocabulary import NEGATORS, OFFICES, OPPOSITES, OTHER_OFFICES, TITLES

Span = tuple[int, int]

ENOUGH = 0.6
"""The share of a long reference's content words that an answer must have."""
NEARLY_ALL = 0.85
"""The share from which another word in the place of one of them is taken for a synonym."""
_FEW = 8
"""The characters from which a reference in a script without spaces counts as long."""

_OPPOSITE_SIDES = {
    "before": {"after", "since", "from"}, "after": {"before", "until", "till"},
    "until": {"from", "since", "after"}, "from": {"until", "till", "to"}, "to": {"from"},
    "since": {"until", "before"}, "with": {"without"}, "without": {"with"},
    "on": {"under", "off", "below", "beside"}, "under": {"on", "over", "above"}, "over": {"under"},
    "in": {"outside"}, "inside": {"outside"}, "outside": {"inside", "in"}, "up": {"down"},
    "down": {"up"}, "off": {"on"}, "vor": {"nach", "ab", "seit"}, "nach": {"vor", "bis"},
    "bis": {"ab", "seit", "nach"}, "ab": {"bis", "vor"}, "seit": {"bis", "vor"},
    "desde": {"hasta"}, "hasta": {"desde"},
}  # fmt: skip
_ANTONYMS = [tuple(stem(word) for word in pair.split("/")) for pair in OPPOSITES]
_HONORIFIC = re.compile(r"(?:さん|様|さま|氏|先生|君|くん|ちゃん|です|ます|女士|小姐|님|씨)[。.]?$")
_PARTICLES = frozenset("的了是在和与及去到从由为对给向被把让用以叫名于の、はがをにでともへや")


def contained(said: Sequence[Token], wanted: Sequence[Token], asked: Sequence[Token]) -> Judgement:
    """A short reference: in a row, or all of it close together, and not denied.

    What the question says already may be missing, and titles before names.
    """
    content = [t for n, t in enumerate(wanted) if is_content(t) and not _only_joins(wanted, n)]
    needed = [t for t in content if not (t.capital and t.text in TITLES)] or content
    denial = any(t.text in NEGATORS for t in wanted)
    if denial and any(t.text not in NEGATORS for t in needed):
        needed = [t for t in needed if t.text not in NEGATORS]
        if not any(t.text in NEGATORS for t in said):
            return Judgement.OPPOSITE
    if all(t.value is not None for t in needed):
        # Their values were compared; what is left is on which side of them.
        places = [n for n, t in enumerate(said) if any(same(t, w) for w in needed)]
        aside = places and all(_on_other_side(said, wanted, n) for n in places)
        return Judgement.OPPOSITE if aside else Judgement.RIGHT
    spans = _spans(said, wanted, needed, asked)
    if not spans or exchanged(said, wanted):
        return Judgement.OTHER_WORDS
    spans = [s for s in spans if not _on_other_side(said, wanted, s[0])]
    if not spans:
        return Judgement.OPPOSITE
    spans = [s for s in spans if not _is_of_other_office(said, s[0], (*wanted, *asked))]
    if not spans:
        return Judgement.OTHER_WORDS
    if not denial and not any(t.text in NEGATORS for t in asked):
        spans = [s for s in spans if not _denied(said, s)]
    return _alone(said, spans, wanted, needed)


def _spans(
    said: Sequence[Token],
    wanted: Sequence[Token],
    needed: Sequence[Token],
    asked: Sequence[Token],
) -> list[Span]:
    """Where an answer has a short reference, by the strictest way that finds it."""
    if found := run(said, spoken(wanted)):
        return found
    known = {stem(t.text) for t in asked if is_content(t)}
    new = [t for t in needed if stem(t.text) not in known or t.value is not None]
    for words in (needed, new):
        span = (close(said, words) or joined(said, words)) if words else None
        left_out = words is new and new != needed and any(t.value is not None for t in new)
        if span and not (left_out and _is_of_other(said, span, wanted, asked)):
            return [span]
    span = joined(said, spoken(wanted))
    return [span] if span else []


def _is_of_other(
    said: Sequence[Token], span: Span, wanted: Sequence[Token], asked: Sequence[Token]
) -> bool:
    """Whether all values that were found are said of something else than the reference's."""
    at = [n for n in range(*span) if said[n].value is not None]
    known = (*wanted, *asked)
    return (
        bool(at)
        and not any(t.kind == "unit" for t in wanted)
        and all(of_other(said, n, known) for n in at)
    )


def _only_joins(wanted: Sequence[Token], at: int) -> bool:
    """Whether a word is grammar by its place: à as a dash between values, rund before one."""
    text, after = wanted[at].text, wanted[at + 1 : at + 2]
    if text not in ("a", "rund") or not after or after[0].kind != "value":
        return False
    return text == "rund" or (at > 0 and wanted[at - 1].kind in ("value", "unit"))


def _is_of_other_office(said: Sequence[Token], start: int, known: Sequence[Token]) -> bool:
    """Whether the word before makes another of what was found: the vice chair, for the chair.

    Before a name an office is its bearer's: the assistant Jo Park.
    """
    before = said[start - 1].text if start else ""
    if before not in OTHER_OFFICES or (before in OFFICES and said[start].capital):
        return False
    return all(t.text != before for t in known)


def _denied(said: Sequence[Token], span: Span) -> bool:
    return negated(said, *span) or any(t.text in NEGATORS for t in said[slice(*span)])


def _alone(
    said: Sequence[Token],
    spans: Sequence[Span],
    wanted: Sequence[Token],
    needed: Sequence[Token],
) -> Judgement:
    """Whether no other name stands beside the right one: Jo or Kim, Jo and Kim."""
    if not spans:
        return Judgement.DENIED
    if any(t.value is not None or t.text == "or" for t in wanted):
        return Judgement.RIGHT
    if all(alternative(said, *span) for span in spans) or extra(said, [needed]):
        return Judgement.CONTRADICTED
    return Judgement.RIGHT


def _on_other_side(said: Sequence[Token], wanted: Sequence[Token], start: int) -> bool:
    """Whether the opposite small word stands before what was found: after noon, before noon."""
    own = {t.text for t in wanted if t.text in _OPPOSITE_SIDES}
    before = {t.text for t in said[max(0, start - 2) : start + 1]}
    return not own & before and any(before & _OPPOSITE_SIDES[word] for word in own)


def is_unspaced(wanted: Sequence[Token]) -> bool:
    """Whether most words are characters of a script without spaces."""
    letters = [t for t in wanted if t.kind == "word"]
    cut = sum(bool(re.match(rf"[{UNSPACED}]", t.text)) for t in letters)
    return bool(cut) and 2 * cut >= len(letters)


def in_characters(said: Sequence[Token], wanted: Sequence[Token], reference: str) -> Judgement:
    """Characters in a row, with any endings, or most pairs of them for a long reference."""
    row = spoken(wanted)
    spans = run(said, row)
    shorter = _HONORIFIC.sub("", cleaned(reference))
    if not spans and shorter and shorter != reference:
        spans = run(said, spoken(tokens(shorter)))
    if not spans:
        return _in_pairs(said, row, reference)
    if not any(t.text in "不没非未無" for t in row):
        spans = [span for span in spans if not negated(said, *span)]
    if not spans:
        return Judgement.DENIED
    joined_by_or = (alternative(said, *s) or alternative_unspaced(said, *s) for s in spans)
    if all(joined_by_or) or extra(said, [row]):
        return Judgement.CONTRADICTED
    whole = any(not _within_word(said, start) for start, _ in spans)
    return Judgement.RIGHT if whole else Judgement.OTHER_WORDS


def _in_pairs(said: Sequence[Token], row: Sequence[Token], reference: str) -> Judgement:
    if len(row) < _FEW:
        return Judgement.OTHER_WORDS
    told = [t.text for t in spoken(said)]
    if polarity.denies(reference) != polarity.denies("".join(told)):
        return Judgement.OPPOSITE
    pairs = set(pairwise(t.text for t in row))
    held = pairs & set(pairwise(told))
    return Judgement.RIGHT if len(held) >= ENOUGH * len(pairs) else Judgement.OTHER_WORDS


def _within_word(said: Sequence[Token], start: int) -> bool:
    """Whether one character before makes another word of it: 新大阪 is not 大阪."""
    if not start or said[start - 1].kind != "word" or said[start - 1].text in _PARTICLES:
        return False
    alone = start == 1 or said[start - 2].kind == "mark"
    return alone and bool(re.match(f"[{HAN}]", said[start - 1].text))


def recalled(
    answer: str,
    reference: str,
    said: Sequence[Token],
    wanted: Sequence[Token],
    asked: Sequence[Token],
) -> Judgement:
    """A long reference: most content words, all names, and the same side of yes and no."""
    known = {stem(t.text) for t in asked if is_content(t)}
    content = [t for t in wanted if is_content(t) and t.text not in NEGATORS]
    new = [t for t in content if stem(t.text) not in known] or content
    held = sum(any(same(s, t) for s in said) or joined(said, [t]) is not None for t in new)
    names = [t for t in _names(wanted) if stem(t.text) not in known]
    missing = any(not any(same(s, t) for s in said) for t in names)
    if missing or held < ENOUGH * len(new) or exchanged(said, wanted):
        return Judgement.OTHER_WORDS
    if held < NEARLY_ALL * len(new) and _substituted(said, wanted):
        return Judgement.OTHER_WORDS
    if polarity.denies(reference) != polarity.denies(answer) or _antonyms(said, wanted):
        return Judgement.OPPOSITE
    return Judgement.RIGHT


def _names(wanted: Sequence[Token]) -> list[Token]:
    """Words with a capital that the beginning of a sentence does not explain."""
    found = []
    for n, token in enumerate(wanted):
        begins = not n or wanted[n - 1].kind == "mark"
        goes_on = n + 1 < len(wanted) and wanted[n + 1].capital
        if token.kind == "word" and token.capital and is_content(token) and (goes_on or not begins):
            found.append(token)
    return found


def _substituted(said: Sequence[Token], wanted: Sequence[Token]) -> bool:
    """Whether another word stands where one of the reference's should, between the same words."""
    row, told = spoken(wanted), spoken(said)
    lost = [n for n, t in enumerate(row) if is_content(t) and not any(same(s, t) for s in told)]
    new = [n for n, t in enumerate(told) if is_content(t) and not any(same(t, w) for w in row)]
    return any(_fits(told, k, row, n) for n in lost for k in new)


def _fits(told: Sequence[Token], k: int, row: Sequence[Token], n: int) -> bool:
    """Whether both have a neighbour of content in common, or both neighbours."""
    sides = []
    for step in (-1, 1):
        inside = 0 <= k + step < len(told) and 0 <= n + step < len(row)
        if inside and same(told[k + step], row[n + step]):
            sides.append(is_content(row[n + step]))
    return any(sides) or len(sides) == 2


def _antonyms(said: Sequence[Token], wanted: Sequence[Token]) -> bool:
    """Whether the answer has the opposite of a word of the reference, and not the word."""
    mine, theirs = {stem(t.text) for t in wanted}, {stem(t.text) for t in said}
    return any(
        one in mine - theirs and other in theirs - mine
        for pair in _ANTONYMS
        for one, other in (pair, pair[::-1])
    )
