"""Whether an answer is right, and if not, why not: a judgement, where the other metrics measure.

The rules, in the order in which they are asked:

- An empty answer is never right. A refusal is right only where the reference is one (or empty),
  and nothing but a refusal is right there.
- Labels and letters must be equal; yes and no are read off the first word.
- All numbers, dates and times of the reference must be in the answer, by value and with their
  units, and no other value of the same kind in their place: 2.50 kg is 2.5 kg, 25 kg is not, nor
  is "two weeks, not three" three weeks. Values about something else may be there as well.
- A list is a set: all its things in any order, and no other.
- A short reference must be contained: in a row, or all its words close together, and not denied.
  Words that the question already says may be left out. In scripts without spaces, characters in
  a row are enough (田中さん for 田中).
- A long reference, or a sentence, must be recalled: most of its content words, all its names and
  values, and a denial where it has one.

These are rules about words. They do not know that two different words mean the same, or that an
answer with all the words says something else with them.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from ragtune.core.text.characters import cleaned
from ragtune.core.text.content import is_content, stem
from ragtune.core.text.refusals import refuses, says_nothing, without_refusals
from ragtune.core.text.token import Token
from ragtune.core.text.words import looks_european, tokens
from ragtune.results.metrics import polarity
from ragtune.results.metrics.choices import LETTER, letter, names_only
from ragtune.results.metrics.claims import fault
from ragtune.results.metrics.containment import contained, in_characters, is_unspaced, recalled
from ragtune.results.metrics.judgement import Judgement
from ragtune.results.metrics.lists import extra, items, place
from ragtune.results.metrics.matching import joined, negated, run, same, spoken

SHORT = 5
"""The most content words of a reference that must be contained; longer ones are recalled."""
_FEW = 3
"""Content words of a reference that is a value and what it counts."""
_VERSIONS = re.compile(r"\b(?:version|release)s?\b|版本|バージョン", re.I)
_SENTENCE = re.compile(
    r"^(?:is|are|was|were|has|have|had|must|can|may|will|should|does|do|did|not)$"
)


def right(
    answer: str,
    references: str | Sequence[str],
    *,
    question: str = "",
    refusals: Sequence[str] = (),
    labels: Sequence[str] = (),
) -> bool:
    """Whether an answer is right by any of its references; see `judged`."""
    told = judged(answer, references, question=question, refusals=refusals, labels=labels)
    return told is Judgement.RIGHT


def judged(
    answer: str,
    references: str | Sequence[str],
    *,
    question: str = "",
    refusals: Sequence[str] = (),
    labels: Sequence[str] = (),
) -> Judgement:
    """Right, or why not by the first reference.

    No reference, an empty one, or a refusal says that there is no answer. ``refusals`` are the
    recipe's own phrases; common wordings are known. ``labels`` are all labels that there are,
    where the references are labels: an answer must then name its own and no other.
    """
    wanted = (references,) if isinstance(references, str) else tuple(references)
    return _judged(answer, wanted or ("",), question, tuple(refusals), tuple(labels))


@lru_cache(maxsize=1 << 16)  # the score, the failures and the page ask for the same answers
def _judged(
    answer: str,
    references: tuple[str, ...],
    question: str,
    refusals: tuple[str, ...],
    labels: tuple[str, ...],
) -> Judgement:
    if not any(t.kind != "mark" for t in tokens(answer)):
        return Judgement.EMPTY
    found = [_by_one(answer, one, question, refusals, labels) for one in references]
    return Judgement.RIGHT if Judgement.RIGHT in found else found[0]


def is_unanswerable(reference: str, refusals: Sequence[str] = ()) -> bool:
    """Whether a reference says that there is no answer: empty, or a refusal."""
    return not reference.strip() or refuses(reference, refusals)


def _by_one(
    answer: str, reference: str, question: str, refusals: tuple[str, ...], labels: Sequence[str]
) -> Judgement:
    declined = refuses(answer, refusals)
    if is_unanswerable(reference, refusals):
        return Judgement.RIGHT if declined else Judgement.NOT_REFUSED
    if declined:
        return Judgement.REFUSED
    if labels:
        named = names_only(answer, reference, labels)
        return Judgement.RIGHT if named else Judgement.OTHER_LABEL
    if chosen := LETTER.match(cleaned(reference)):
        equal = letter(answer) == chosen[1].lower()
        return Judgement.RIGHT if equal else Judgement.OTHER_LABEL
    if says_nothing(answer, refusals):
        answer = without_refusals(answer, refusals)
    if side := polarity.asked(reference):
        return _yes_or_no(answer, reference, question, side)
    return _content(answer, reference, question)


def _yes_or_no(answer: str, reference: str, question: str, side: polarity.Polarity) -> Judgement:
    """The same side, and what a longer reference says behind its first word."""
    said = polarity.polarity(answer) or polarity.answered(answer, question)
    if said != side:
        return Judgement.OPPOSITE if said else Judgement.OTHER_WORDS
    told, more = tokens(answer), tokens(polarity.rest(reference))
    content = [t for t in more if is_content(t)]
    bare = not any(is_content(t) for t in tokens(polarity.rest(answer)))
    if not content or (bare and not any(t.value for t in content)):
        return Judgement.RIGHT
    if wrong := fault(told, more, tokens(question)):
        return wrong
    known = {stem(t.text) for t in tokens(question)}
    held = sum(stem(t.text) in known or any(same(s, t) for s in told) for t in content)
    return Judgement.RIGHT if 2 * held >= len(content) else Judgement.OTHER_WORDS


def _content(answer: str, reference: str, question: str) -> Judgement:
    """Values first, for they are wrong in right words too; then the words."""
    european = looks_european(f"{reference} {answer} {question}")
    versions = bool(_VERSIONS.search(question) or _VERSIONS.search(reference))
    said, wanted, asked = (
        tokens(text, european=european, versions=versions) for text in (answer, reference, question)
    )
    if _is_equal(said, wanted):
        return Judgement.RIGHT
    if wrong := fault(said, wanted, asked):
        # AB 1234 for AB-1234: the figures of a name are no values.
        named = any(t.kind == "word" for t in wanted)
        whole = joined(said, spoken(wanted)) if named else None
        if wrong is Judgement.CONTRADICTED or whole is None or negated(said, *whole):
            return wrong
    return _words(answer, reference, said, wanted, asked)


def _is_equal(said: Sequence[Token], wanted: Sequence[Token]) -> bool:
    """Whether both are the same words, however they are cut into words."""
    row = spoken(wanted)
    same_words = [t.text for t in spoken(said)] == [t.text for t in row]
    return (same_words and not any(t.value for t in row)) or joined(said, row) == (0, len(said))


def _words(
    answer: str,
    reference: str,
    said: Sequence[Token],
    wanted: Sequence[Token],
    asked: Sequence[Token],
) -> Judgement:
    """By the kind of the reference: a list, a formula, characters, long, or short."""
    row = spoken(wanted)
    content = [t for t in wanted if is_content(t)]
    small = any(t.kind == "word" and not is_content(t) and t.text != "and" for t in wanted)
    stopped = reference.rstrip().endswith((".", "!")) and len(row) > 4 and small
    if asked and _is_bare_value(said, content):
        return Judgement.RIGHT
    if things := [] if stopped else items(wanted):
        return _list(said, row, things)
    if not content or any(t.kind == "symbol" for t in wanted):
        return Judgement.RIGHT if run(said, row) else Judgement.OTHER_WORDS
    if is_unspaced(wanted):
        return in_characters(said, wanted, reference)
    sentence = len(row) > 4 and any(_SENTENCE.match(t.text) for t in wanted)
    if stopped or sentence or len(content) > SHORT:
        return recalled(answer, reference, said, wanted, asked)
    return contained(said, wanted, asked)


def _is_bare_value(said: Sequence[Token], wanted: Sequence[Token]) -> bool:
    """Whether an answer is a value alone, and the reference that value and what it counts.

    A question has said what is asked for: 70 for "70 seats", 555 for "extension 555".
    """
    spoken_of = [t for t in said if is_content(t)]
    values = [t for t in wanted if t.value is not None]
    if any(t.capital for t in wanted if t.value is None):  # a name: "Ann and 3 others"
        return False
    return len(spoken_of) == len(values) == 1 < len(wanted) <= _FEW and (
        spoken_of[0].value is not None
    )


def _list(said: Sequence[Token], row: Sequence[Token], things: Sequence[list[Token]]) -> Judgement:
    if not run(said, row) and not all(place(said, thing) for thing in things):
        return Judgement.ITEM_MISSING
    return Judgement.ITEM_EXTRA if extra(said, things) else Judgement.RIGHT
