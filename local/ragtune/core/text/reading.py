"""The value that begins at a place of a text: a date, a time, a code, a version, a ratio, a number.

They are tried in this order, for each is written in the signs of the next: 2021-05-03 is no range,
7:30 no ratio, 2.10.1 no decimal.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from ragtune.core.text.clock import CLOCK, time
from ragtune.core.text.dates import DATE, date, is_date
from ragtune.core.text.numbers import CODE, NUMBER, RATIO, VERSION, code, number, ratio
from ragtune.core.text.token import Token
from ragtune.core.text.values import Number, Value

MAY_BE_VALUE = re.compile(
    r"\d|[-+.]\s?[\d$€£¥]|[(][\d ]{3}|[$€£¥₹₩₽₿]|[A-Z]{2,3}\$? ?\d|[AC]\$|kr\.? ?\d|Rs|v\.?\s?\d"
    r"|[凌早清上中下傍晚夜午朝夕正至超最不]"
    r"|(?i:jan|feb|fév|m[aä]|apr|avr|abr|ju[nil]|a[ug]|ao|sep|set|o[ck]t|nov|d[eéi]|ene|jän|noon|"
    r"mid|mit|minuit|ha?lb|half|quarter|viertel|at (?:le|mo)|minimum|no [lfm]|not [lm]|more|mehr|"
    r"over|above|mindest|al men|plus|más|great|maxim|up to|less|fewer|under|below|höchst|como|"
    r"wenig|moins|menos)"
)
"""What a value can begin with; the patterns themselves are tried only there."""
_VERSIONED = re.compile(
    r"\b(?:version|release|section|chapter|clause|article|room|figure|table|paragraph|python|java|"
    r"node|ubuntu|android|ios|macos|kernel|level|versión|fassung|kapitel|abschnitt)\s*$|"
    r"(?:版本|バージョン|版)\s*:?\s*$|(?<!^)(?<![.!?] )\b[A-Z][a-z]+\s$",
    re.I,
)
"""What makes a version of a number with a point: Python 3.10 is not Python 3.1."""


class Notation(NamedTuple):
    """How figures are read: whether a point may divide thousands, or makes a version."""

    european: bool = False
    versions: bool = False


def read_value(text: str, place: int, notation: Notation) -> Sequence[Token]:
    """The value that begins here, and its unit as a token of its own; nothing where none does."""
    for read in (_date, _time, _code, _version, _ratio):
        if found := read(text, place):
            return found
    return _number(text, place, notation)


def _date(text: str, place: int) -> list[Token]:
    found = DATE.match(text, place)
    if not found or not is_date(found):
        return []
    tokens = [_token(date(found), place, found.end())]
    # ISO 8601 joins date and time with a T.
    if text[found.end() : found.end() + 1] == "T":
        start = found.end() + 1
        clock = CLOCK.match(text[start:])
        if clock and (hour := time(clock)):
            tokens.append(_token(hour, start, start + clock.end()))
    return tokens


def _time(text: str, place: int) -> list[Token]:
    found = CLOCK.match(text, place)
    hour = time(found) if found else None
    return [_token(hour, place, found.end())] if found and hour else []


def _code(text: str, place: int) -> list[Token]:
    found = CODE.match(text, place)
    name = code(found) if found else None
    return [_token(name, place, found.end())] if found and name else []


def _version(text: str, place: int) -> list[Token]:
    found = VERSION.match(text, place)
    # Points alone may divide thousands: 1.234.567.
    if not found or re.fullmatch(r"\d{1,3}(\.\d{3}){2,}", found[0]):
        return []
    parts = found["named"] or found["dotted"]
    return [_token(Number((), parts, version=True), place, found.end())]


def _ratio(text: str, place: int) -> list[Token]:
    found = RATIO.match(text, place)
    return [_token(ratio(found), place, found.end())] if found else []


def _number(text: str, place: int, notation: Notation) -> list[Token]:
    found = NUMBER.match(text, place)
    if not found:
        return []
    version = notation.versions or bool(_VERSIONED.search(text, max(0, place - 24), place))
    amount, end = number(found, text, european=notation.european, version=version)
    unit = amount.unit
    # 3D and 4WD are words, and so are the 1990s.
    glued = not unit and end == found.end() and "a" <= text[end : end + 1].lower() < "\u0e00"
    decade = unit and unit.name == "second" and re.fullmatch(r"\d{2,4}s", text[place:end])
    if (glued and text[end].isalpha()) or decade:
        return []
    middle = min(found.end() if unit else end, end)
    tokens = [_token(amount, place, middle)]
    return [*tokens, Token(unit.name, "unit", middle, end)] if unit else tokens


def _token(value: Value, start: int, end: int) -> Token:
    return Token(value.key, "value", start, end, value)
