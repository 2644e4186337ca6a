"""Whether an answer has a reference's values, and no other value in their place."""

from collections.abc import Iterator, Sequence

from ragtune.core.text.content import is_content, stem
from ragtune.core.text.token import Token
from ragtune.core.text.units import Unit, by_sign, ratio
from ragtune.core.text.values import (
    Code,
    Number,
    Ratio,
    Time,
    Value,
    agrees,
    as_ratio,
    opposed,
    same_unit,
)
from ragtune.results.metrics.judgement import Judgement
from ragtune.results.metrics.matching import clause, negated, ratio_as_numbers

_CHANGED = {"rose", "risen", "raised", "increased", "grew", "grown", "fell", "fallen", "dropped",
            "decreased", "reduced", "cut", "changed", "went", "moved", "extended", "lowered",
            "shortened", "up", "down", "doubled", "instead"}  # fmt: skip
_MOST = 8
"""The most values, and places of each, around which contradictions are looked for."""
_PAST = {"was", "were", "had", "formerly", "previously", "before", "used", "originally"}
_JOINS = {"to", "or", "and", "bis", "oder", "ou", "o", "through", "till", "until", "或", "至", "到",
          "または", "か", "-", "and/or", "versus"}  # fmt: skip
_LABELLED = {"room", "floor", "page", "platform", "gate", "terminal", "route", "line", "bus",
             "section", "chapter", "step", "form", "table", "figure", "number", "no", "level",
             "quay", "pier", "berth", "track", "hall", "building", "unit", "apartment", "box",
             "locker", "shelf", "zone", "area", "channel", "highway", "deck", "cabin", "seat",
             "row", "item", "question"}  # fmt: skip


def fault(
    answer: Sequence[Token], wanted: Sequence[Token], question: Sequence[Token]
) -> Judgement | None:
    """The first fault in an answer's values; None where they say what the reference says."""
    values = list({t.text: t for t in wanted if t.value is not None}.values())
    if _as_pair(answer, wanted):
        return None
    spots: list[tuple[Token, int]] = []
    for token in values:
        found = [
            n
            for n in _places(answer, token, question)
            if not negated(answer, n, _end(answer, n))
            and not (len(wanted) == 1 and _counts_another(answer, n, question))
        ]
        if not found and isinstance(token.value, Ratio | Time):
            parts = token.value if isinstance(token.value, Ratio) else as_ratio(token.value)
            span = ratio_as_numbers(answer, parts) if parts else None
            if span:
                return None
        if not found:
            kind = any(type(t.value) is type(token.value) for t in answer if t.value is not None)
            return Judgement.OTHER_VALUE if kind else Judgement.VALUE_MISSING
        spots += [(token, n) for n in found[:_MOST]]
    if not _in_order(answer, values, spots):
        return Judgement.OTHER_VALUE
    for n, token in enumerate(answer if len(values) <= _MOST else ()):
        if token.value is None or any(spot == n for _, spot in spots):
            continue
        if any(_same_value(token, value) for value in values) or negated(
            answer, n, _end(answer, n)
        ):
            continue
        if any(_contradicts(answer, n, spot, wanted, question) for _, spot in spots):
            return Judgement.CONTRADICTED
    return None


def _places(answer: Sequence[Token], wanted: Token, question: Sequence[Token]) -> Iterator[int]:
    """Where the answer says a value, with its unit unless the question names it."""
    for n, token in enumerate(answer):
        if not _same_value(token, wanted):
            continue
        unit = _unsaid(token.value, wanted.value)
        if unit is None or (_names(question, unit) and not of_other(answer, n, question)):
            yield n


def _counts_another(answer: Sequence[Token], at: int, question: Sequence[Token]) -> bool:
    """Whether a number counts what nobody asked for, while another counts what was asked."""
    asked = {stem(t.text) for t in question if is_content(t)}
    nouns = {n: noun for n in range(len(answer)) if (noun := _noun(answer, n))}
    return nouns.get(at, "") not in {"", *asked} and any(noun in asked for noun in nouns.values())


def of_other(answer: Sequence[Token], at: int, known: Sequence[Token]) -> bool:
    """Whether a value is said of something that neither reference nor question speaks of.

    It matters only where the reference's own noun is left out: "three" for three boats, but not
    "three cars", "3 June" or "Gate 3".
    """
    value = answer[at].value
    if not isinstance(value, Number) or value.unit:
        return True
    after, before = answer[at + 1 : at + 2], answer[max(0, at - 1) : at]
    stems = {stem(t.text) for t in known}
    near = [*(t for t in after if t.kind == "word"), *(t for t in before if t.capital)]
    return any(is_content(t) and stem(t.text) not in stems for t in near)


def _unsaid(said: Value | None, wanted: Value | None) -> Unit | None:
    """The unit that an answer's number lacks; a fraction needs none (half for 50 %)."""
    if isinstance(said, Number) and isinstance(wanted, Number) and not said.unit:
        return None if "/" in said.digits else wanted.unit
    return None


def _same_value(said: Token, wanted: Token) -> bool:
    if said.value is None or wanted.value is None:
        return False
    return agrees(said.value, wanted.value)


def _names(question: Sequence[Token], unit: Unit) -> bool:
    if unit.name == "percent" and any(t.text in ("percentage", "share") for t in question):
        return True
    return any(
        (named := by_sign(t.text)) is not None and ratio(named, unit) is not None
        for t in question
        if t.kind in ("word", "unit")
    )


def _in_order(
    answer: Sequence[Token], values: Sequence[Token], spots: Sequence[tuple[Token, int]]
) -> bool:
    """Whether two values that "to" joins, from one to the other, come in the reference's order."""
    if len(values) != 2 or values[0].text == values[1].text or not _pair(values):
        return True
    first = [n for token, n in spots if token is values[0]]
    second = [n for token, n in spots if token is values[1]]
    for one in second:
        for other in first:
            between = answer[_end(answer, one) : other] if one < other else [answer[one]] * 9
            if not between or between[0].text in ("to", "bis", "至", "到"):
                return any(a < b for a in first for b in second)
    return True


def _pair(values: Sequence[Token]) -> bool:
    """Whether a dash or a word for "to" joins two numbers."""
    return all(isinstance(t.value, Number) for t in values) and values[1].start - values[0].end < 8


def _as_pair(answer: Sequence[Token], wanted: Sequence[Token]) -> bool:
    """Whether a score of two numbers, 3-1, is written as a ratio."""
    numbers = [t.value for t in wanted if isinstance(t.value, Number)]
    if len(wanted) != 2 or len(numbers) != 2 or not all(n.amounts for n in numbers):
        return False
    pair = Ratio(tuple(n.amounts[0] for n in numbers))
    return any(t.value is not None and agrees(t.value, pair) for t in answer)


def _end(answer: Sequence[Token], at: int) -> int:
    """Behind a value and its unit."""
    return at + 1 + (at + 1 < len(answer) and answer[at + 1].kind == "unit")


def _contradicts(
    answer: Sequence[Token], at: int, spot: int, wanted: Sequence[Token], question: Sequence[Token]
) -> bool:
    """Whether the value at ``at`` stands where the reference's, said at ``spot``, should."""
    other, right = answer[at], answer[spot]
    if not _competes(other, right):
        return False
    first, last = sorted((at, spot))
    between = answer[_end(answer, first) : last]
    told = [t.text for t in between]
    near = len(told) <= 2 and all(t.text == "," or t.text in _JOINS for t in between)
    if near and _noun(answer, first) in (None, _noun(answer, last)):
        changed = {t.text for t in answer[max(0, first - 4) : last + 3]} & _CHANGED
        return not changed or bool({"or", "oder", "ou"} & set(told))
    if _in_question(other, question):
        return False
    if _noun(answer, at) != _noun(answer, spot):
        return False
    here, there = clause(answer, at, at + 1), clause(answer, spot, spot + 1)
    if here == there:
        return False
    known = {stem(t.text) for t in (*wanted, *question, *answer[slice(*there)])}
    past = {t.text for t in answer[slice(*here)]} & _PAST - {t.text for t in answer[slice(*there)]}
    return not past and all(
        stem(t.text) in known for t in answer[slice(*here)] if is_content(t) and t.value is None
    )


def _competes(one: Token, other: Token) -> bool:
    """Whether two values are of one kind, so that only one of them can be the answer."""
    said, right = one.value, other.value
    if isinstance(said, Number) and isinstance(right, Number):
        if said.version != right.version:
            return False
        if opposed(said, right) and said.unit == right.unit:
            return False
        return (
            same_unit(said, right) and said.ordinal == right.ordinal and _year(said) == _year(right)
        )
    return type(said) is type(right) and not isinstance(said, Code)


def _year(number: Number) -> bool:
    return (
        not number.unit and len(number.digits) == 4 and 1000 <= number.amounts[0] <= 2199
        if number.amounts
        else False
    )


def _noun(answer: Sequence[Token], at: int) -> str | None:
    """What a number without a unit counts, or what it is the number of."""
    value = answer[at].value
    if not isinstance(value, Number) or value.unit:
        return None
    if at + 1 < len(answer) and answer[at + 1].kind == "word" and is_content(answer[at + 1]):
        return stem(answer[at + 1].text)
    if at and answer[at - 1].kind == "word" and (answer[at - 1].text in _LABELLED):
        return answer[at - 1].text
    return None


def _in_question(token: Token, question: Sequence[Token]) -> bool:
    return any(_same_value(token, asked) for asked in question if asked.value is not None)
