"""Metrics of an answer against its references, all on the one normaliser of `ragtune.core.text`.

What they share, unless a metric says otherwise:

- Numbers, dates and times are one word each, compared by value: 1,500 and 1500, seven and 7, 3 May
  2021 and 2021-05-03 are the same word; 1.5 and 15, or -4 and 4, are two.
- A unit is a word of its own with one name for its spellings (%, percent; £, pounds), and amounts
  are converted between units of one measure: 1.5 kg and 1500 g are the same two words.
- Case, punctuation at the edges, accents of Latin letters and English articles do not count; C++
  and C# keep their signs. Labels are words like others.
- Scripts without spaces are compared by character.
- The best of several references counts. A refusal scores 0 where there is an answer, and 1 where
  there is none, in which case nothing else scores; so does an empty answer, 0 in all cases.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from ragtune.core.text.content import is_content, stem
from ragtune.core.text.refusals import refuses
from ragtune.core.text.token import Token
from ragtune.core.text.units import Unit, ratio
from ragtune.core.text.values import Number, agrees
from ragtune.core.text.words import tokens
from ragtune.results.metrics.right import is_unanswerable

Score = Callable[[Sequence[Token], Sequence[Token]], float]


def token_f1(
    answer: str, references: str | Sequence[str], *, refusals: Sequence[str] = ()
) -> float:
    """The harmonic mean of precision and recall over words; SQuAD's F1 on other words.

    A wrong number costs as much as any other wrong word: an answer that is wrong in nothing but
    its number can score high. `right` is the metric for that.
    """
    return _best(_f1, answer, references, refusals)


def exact_match(
    answer: str, references: str | Sequence[str], *, refusals: Sequence[str] = ()
) -> float:
    """1 where every word is the same in the same order, and every value says the same.

    03/05/2021 equals either of its readings. Endings of words count: boxes are not a box.
    """
    return _best(_exact, answer, references, refusals)


def rouge_l(answer: str, references: str | Sequence[str], *, refusals: Sequence[str] = ()) -> float:
    """F-measure of the longest common subsequence of stems; Lin, "ROUGE" (2004).

    Endings of English words do not count. Made for long references: it sees order, and lets what
    stands between go by.
    """
    return _best(_rouge, answer, references, refusals)


def recall(answer: str, references: str | Sequence[str], *, refusals: Sequence[str] = ()) -> float:
    """The share of the reference's content words and values that the answer contains.

    A long answer loses nothing by what it says besides, however wrong: read it beside `right`.
    Small words (of, is, at) count only where the reference has no others; endings do not count.
    """
    return _best(_recall, answer, references, refusals)


def numeric_error(
    answer: str, references: str | Sequence[str], *, refusals: Sequence[str] = ()
) -> float | None:
    """How far the answer's numbers are from the reference's, from 0 (equal) to 1; lower is better.

    The mean, over the reference's numbers, of the relative error of the nearest number in the
    answer of the same unit, at most 1; amounts are converted. An answer without such a number, a
    refusal and an empty answer have an error of 1. None where no reference has a number. Dates,
    times, versions and codes are no amounts and do not count.
    """
    found = []
    for reference in _listed(references):
        wanted = _amounts(reference)
        if not wanted or is_unanswerable(reference, refusals):
            continue
        said = [] if refuses(answer, refusals) else _amounts(answer)
        errors = [min((_error(s, w) for s in said), default=1.0) for w in wanted]
        found.append(sum(errors) / len(errors))
    return min(found, default=None)


METRICS: Mapping[str, Callable[..., float]] = {
    "token_f1": token_f1,
    "exact_match": exact_match,
    "rouge_l": rouge_l,
    "recall": recall,
}
"""Those from 0 to 1 of which more is better, by name."""


def _listed(references: str | Sequence[str]) -> list[str]:
    return [references] if isinstance(references, str) else list(references)


def _best(
    score: Score, answer: str, references: str | Sequence[str], refusals: Sequence[str]
) -> float:
    """The best score over the references, with the rule for refusals."""
    if not (said := _spoken(answer)):
        return 0.0
    declined = refuses(answer, refusals)
    scores = []
    for reference in _listed(references) or [""]:
        if declined or is_unanswerable(reference, refusals):
            scores.append(float(declined and is_unanswerable(reference, refusals)))
        else:
            wanted = _spoken(reference)
            scores.append(score(_aligned(said, wanted), wanted))
    return max(scores)


def _spoken(text: str) -> list[Token]:
    return [token for token in tokens(text) if token.kind != "mark"]


def _aligned(said: Sequence[Token], wanted: Sequence[Token]) -> list[Token]:
    """The answer with its values, and their units, in the reference's notation where they agree."""
    found: list[Token] = []
    unit: Unit | None = None
    for token in said:
        twin = next((w for w in wanted if w.value is not None and _equal(token, w)), None)
        if twin is not None:
            unit = twin.value.unit if isinstance(twin.value, Number) else None
            found.append(replace(token, text=twin.text))
        elif token.kind == "unit" and unit is not None:
            found.append(replace(token, text=unit.name))
        else:
            unit = None if token.kind == "value" else unit
            found.append(token)
    return found


def _f1(said: Sequence[Token], wanted: Sequence[Token]) -> float:
    common = Counter(t.text for t in said) & Counter(t.text for t in wanted)
    return 2 * common.total() / (len(said) + len(wanted))


def _exact(said: Sequence[Token], wanted: Sequence[Token]) -> float:
    return float([t.text for t in said] == [t.text for t in wanted])


def _equal(said: Token, wanted: Token) -> bool:
    """Whether two values say the same, neither less than the other."""
    one, other = said.value, wanted.value
    if one is None or other is None:
        return False
    if isinstance(one, Number) and isinstance(other, Number) and bool(one.unit) != bool(other.unit):
        return False
    return agrees(one, other) and agrees(other, one)


def _rouge(said: Sequence[Token], wanted: Sequence[Token]) -> float:
    mine, theirs = ([stem(t.text) for t in row] for row in (said, wanted))
    return 2 * _common(mine, theirs) / (len(mine) + len(theirs))


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """The length of the longest common subsequence, a row of the table in each big integer.

    Bit n of ``row`` is 0 where the length grows at word n; Hyyrö, "Bit-parallel LCS-length
    computation revisited" (2004).
    """
    places: dict[str, int] = {}
    for n, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << n
    full = (1 << len(one)) - 1
    row = full
    for word in other:
        held = row & places.get(word, 0)
        row = (row + held) | (row - held)
    return len(one) - (row & full).bit_count()


def _recall(said: Sequence[Token], wanted: Sequence[Token]) -> float:
    needed = [t for t in wanted if is_content(t) or t.kind == "unit"] or list(wanted)
    told = Counter(stem(t.text) for t in said)
    asked = Counter(stem(t.text) for t in needed)
    return (told & asked).total() / asked.total()


def _amounts(text: str) -> list[Number]:
    values = (t.value for t in tokens(text))
    return [v for v in values if isinstance(v, Number) and v.amounts and not v.version]


def _error(said: Number, wanted: Number) -> float:
    factor = ratio(said.unit, wanted.unit) if said.unit and wanted.unit else Fraction(1)
    if factor is None:
        return 1.0
    errors = [abs(a * factor - w) / (abs(w) or 1) for a in said.amounts for w in wanted.amounts]
    return float(min([Fraction(1), *errors]))
