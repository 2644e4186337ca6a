"""The one normaliser: a text as a row of words, values and marks.

Everything that compares texts reads them here, so that metrics, support, labels and the gate agree
on what a word is. In short: NFKC, case folded, accents of Latin letters dropped, English articles
dropped, punctuation kept as marks and never inside a number, C++, C# and x > y with their signs,
scripts without spaces cut into characters, and numbers, dates and times as values.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from ragtune.core.text.characters import UNSPACED, cleaned, folded
from ragtune.core.text.clock import CLOCK, time
from ragtune.core.text.dates import DATE, date, is_date
from ragtune.core.text.number_words import digits
from ragtune.core.text.numbers import CODE, NUMBER, RATIO, VERSION, code, number, ratio
from ragtune.core.text.values import Number, Value

Kind = Literal["word", "value", "unit", "symbol", "mark"]


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a text: ``text`` is what metrics compare, ``value`` what a number says.

    ``start`` and ``end`` are its place in the cleaned text; ``capital`` that it begins with a
    capital letter, ``upper`` that it has no other.
    """

    text: str
    kind: Kind
    start: int
    end: int
    value: Value | None = None
    capital: bool = False
    upper: bool = False


_MAY_BE_VALUE = re.compile(
    r"\d|[-+.]\s?[\d$€£¥]|[(][\d ]{3}|[$€£¥₹₩₽₿]|[A-Z]{2,3}\$? ?\d|[AC]\$|kr\.? ?\d|Rs|v\.?\s?\d"
    r"|[凌早清上中下傍晚夜午朝夕正至超最不]|(?i:jan|feb|fév|fev|m[aä]|apr|avr|abr|ju[nil]|a[ug]|ao|sep|set|o[ck]t|"
    r"nov|d[eéi]|ene|jän|noon|mid|mit|minuit|ha?lb|half|quarter|viertel|at (?:le|mo)|minimum|"
    r"no (?:l|f|m)|not (?:l|m)|more|mehr|over|above|mindest|al men|plus|más|great|maxim|up to|less|"
    r"fewer|under|below|höchst|como|wenig|moins|menos)"
)
"""What a value can begin with; the patterns themselves are tried only there."""
_MARKS = "\u0610-\u061a\u064b-\u065f\u0670\u0591-\u05c7\u0900-\u0dff\u0300-\u036f"
_LETTER = rf"(?:[^\W{UNSPACED}]|[{_MARKS}])"
_WORD = re.compile(rf"\.?{_LETTER}+(?:['.@&_]{_LETTER}+)*(?:[+#]+(?!\w)|(?<=\b[A-Z])-(?=\s*(?:$|[,;.)])))?")
_ONE = re.compile(rf"[{UNSPACED}]")
_SYMBOL = re.compile(r"[<>!=]=|[<>=+±≈^→√≡∞]")
_MARK = re.compile(r"[.!?。！？\n]+|[,،、]|[;:()\[\]{}\"|—]|-(?=\s)")
_INITIALS = re.compile(r"\b([A-Z])\.\s+(?=[A-Z]\.)")
_VERSIONED = re.compile(
    r"\b(?:version|release|section|chapter|clause|article|room|figure|table|paragraph|python|java|"
    r"node|ubuntu|android|ios|macos|kernel|level|versión|fassung|kapitel|abschnitt)\s*$|"
    r"(?:版本|バージョン|版)\s*[:：]?\s*$|(?<!^)(?<![.!?] )\b[A-Z][a-z]+\s$", re.I)  # fmt: skip
_EUROPEAN = re.compile(
    r"€|\b\d+,\d{1,2}\b(?!,)|\d\.\d{3},\d|[äöüßñéèêç]|(?i:\b(?:euros?|eur|der|die|das|und|ist|uhr|"
    r"le|les|des|est|el|los|las|del|kronen|franken)\b)"
)
_ABBREVIATED = re.compile(r"\b(?:dr|mr|mrs|ms|prof|st|nr|no|vs|approx|ca|hr|fr|sr|sra|mme|capt|jr)$", re.I)
_ROMAN = re.compile(r"(?=[ivx]{2,})(x{0,3})(ix|iv|v?i{0,3})")
_DAYS = {"Mon": "monday", "Tue": "tuesday", "Tues": "tuesday", "Wed": "wednesday", "Thu": "thursday",
         "Thur": "thursday", "Thurs": "thursday", "Fri": "friday", "Sat": "saturday",
         "Sun": "sunday"}  # fmt: skip
_SHORTENED = {"'ve": "have", "'re": "are", "'ll": "will", "'m": "am"}
_BY = re.compile(r"\b(?:no|not) later than\b|\b(?:on|at) or before\b|\bup until\b", re.I)
_ENDINGS = re.compile(r"'(?:s|re|ve|ll|d|m)?$")
_ELISION = re.compile(r"^(?:[ldjmnstc]|qu)'(?=\w{3,})")
_NOT = {"cannot": ("can", "not"), "can't": ("can", "not"), "won't": ("will", "not"),
        "shan't": ("shall", "not"), "&": ("and",)}  # fmt: skip
_SPLIT_YEARS = re.compile(r"\b(1\d|20)(\d\d)[-/](\d\d)\b(?![-/\d:])")


def tokens(text: str, *, european: bool | None = None, versions: bool = False) -> tuple[Token, ...]:
    """A text's words, values, units, symbols and marks, in order.

    ``european`` says whether a point may divide thousands (None: as the text looks), ``versions``
    that numbers with a point are versions. Where stripping leaves nothing, the text is one word.
    """
    return _tokens(text, looks_european(text) if european is None else european, versions)


def words(text: str) -> list[str]:
    """A text as metrics compare it: one string for each word, value, unit and symbol."""
    return [token.text for token in tokens(text) if token.kind != "mark"]


def normalised(text: str) -> str:
    """A text's words in one line, for comparing whole texts."""
    return " ".join(words(text))


def looks_european(text: str) -> bool:
    """Whether a text shows a decimal comma, or words of a language that writes one."""
    return bool(_EUROPEAN.search(text))


@lru_cache(maxsize=4096)
def _tokens(text: str, european: bool, versions: bool) -> tuple[Token, ...]:
    text = _INITIALS.sub(r"\1.", cleaned(text))
    text = _SPLIT_YEARS.sub(_whole_years, _BY.sub("by", digits(text)))
    found = tuple(_summed(_with_range_units(list(_scanned(text, european, versions)))))
    if any(t.kind != "mark" for t in found) or not text.strip():
        return found
    return (Token(text.strip().casefold(), "word", 0, len(text)),)


def _whole_years(match: re.Match[str]) -> str:
    """1914-18 as 1914-1918; 2021-05 stays a month."""
    later = int(match[3]) > int(match[2])
    return f"{match[1]}{match[2]}-{match[1]}{match[3]}" if later else match[0]


def _scanned(text: str, european: bool, versions: bool) -> Iterator[Token]:
    place = 0
    while place < len(text):
        character = text[place]
        if character in " \t\r":
            place += 1
            continue
        at_edge = place == 0 or not (character.isalpha() and text[place - 1].isalpha())
        if (at_edge or character > "\u0e00") and _MAY_BE_VALUE.match(text, place):
            read = list(_value(text, place, european, versions))
            if read:
                yield from read
                place = read[-1].end
                continue
        if word := _ONE.match(text, place):
            yield Token(word[0].casefold(), "word", place, place + 1)
            place += 1
        elif (word := _WORD.match(text, place)) and word[0] != ".":
            yield from _written(word, text)
            place = word.end()
        elif character == "&":
            yield Token("and", "word", place, place + 1)
            place += 1
        elif word := _SYMBOL.match(text, place):
            # A ">" before a line is a quotation's, not a comparison.
            if not (word[0] == ">" and text[:place].rpartition("\n")[2].strip() == ""):
                yield Token(word[0], "symbol", place, word.end())
            place = word.end()
        else:
            if (word := _MARK.match(text, place)) and not (
                word[0] == "." and _ABBREVIATED.search(text, max(0, place - 8), place)
            ):
                yield Token(_mark(word[0]), "mark", place, word.end())
            place = word.end() if word else place + 1


def _mark(written: str) -> str:
    if written[0] == "\n":
        return "\n"
    return "." if written[0] in ".!?。！？" else "," if written[0] in ",،、" else ";"


def _value(text: str, place: int, european: bool, versions: bool) -> Iterator[Token]:
    """The value that begins here, with its unit as a token of its own."""
    if (found := DATE.match(text, place)) and is_date(found):
        read = date(found)
        yield Token(read.key, "value", place, found.end(), read)
        # ISO 8601 joins date and time with a T.
        joined = found.end() < len(text) and text[found.end()] == "T" and found.end() + 1
        if joined and (hour := CLOCK.match(text[joined:])) and (told := time(hour)):
            yield Token(told.key, "value", joined, joined + hour.end(), told)
        return
    if (found := CLOCK.match(text, place)) and (told := time(found)):
        yield Token(told.key, "value", place, found.end(), told)
        return
    if (found := CODE.match(text, place)) and (name := code(found)):
        yield Token(name.key, "value", place, found.end(), name)
        return
    if (found := VERSION.match(text, place)) and not _grouped(found[0]):
        parts = found["named"] or found["dotted"]
        version = Number((), parts, version=True)
        yield Token(version.key, "value", place, found.end(), version)
        return
    if found := RATIO.match(text, place):
        mixed = ratio(found)
        yield Token(mixed.key, "value", place, found.end(), mixed)
        return
    if found := NUMBER.match(text, place):
        after_name = versions or bool(_VERSIONED.search(text, max(0, place - 24), place))
        amount, end, unit = number(found, text, european=european, version=after_name)
        if found["body"] and end == found.end() and text[end : end + 1].isalpha() and not unit:
            if text[end] < "\u0e00":
                return
        if unit and unit.name == "second" and re.fullmatch(r"\d{2,4}s", text[place:end]):
            return  # the 1990s
        last = found.end() if unit else end
        yield Token(amount.key, "value", place, min(last, end), amount)
        if unit:
            yield Token(unit.name, "unit", min(last, end), end)


def _grouped(figures: str) -> bool:
    """Whether points only divide thousands: 1.234.567."""
    return re.fullmatch(r"\d{1,3}(\.\d{3}){2,}", figures) is not None


def _written(match: re.Match[str], text: str) -> Iterator[Token]:
    """A word without endings that only grammar asks for; two words for a contraction."""
    raw, start, end = match[0].lstrip("."), match.start(), match.end()
    capital = raw[0].isupper()
    if _is_article(raw, text, end):
        return
    word = folded(raw)
    if word in _NOT or word.endswith("n't"):
        parts: tuple[str, ...] = _NOT.get(word, (word[:-3], "not"))
    elif "&" in word:
        parts = tuple(word.replace("&", " and ").split())
    elif raw in _DAYS:
        parts = (_DAYS[raw],)
    elif len(word) > 3 and (more := next((e for e in _SHORTENED if word.endswith(e)), "")):
        parts = (word.removesuffix(more), _SHORTENED[more])
    else:
        word = _ELISION.sub("", _ENDINGS.sub("", word)).replace("'", "")
        if re.fullmatch(r"(?:\w\.)+\w", word):
            word = word.replace(".", "")
        parts = (word,)
    if len(raw) > 1 and (roman := _ROMAN.fullmatch(word)) and start and capital | (word != "xi"):
        amount = 10 * len(roman[1]) + {"ix": 9, "iv": 4}.get(
            roman[2], 5 * ("v" in roman[2]) + roman[2].count("i")
        )
        value = Number((Fraction(amount),), str(amount))
        yield Token(value.key, "value", start, end, value)
        return
    for part in parts:
        if part:
            yield Token(part, "word", start, end, capital=capital, upper=raw.isupper() and (len(raw) > 1 or raw not in "AI" or not match.start()))


def _is_article(raw: str, text: str, end: int) -> bool:
    """An article stands before a word; vitamin A and option A end in a name."""
    if raw.lower() not in ("a", "an", "the"):
        return False
    followed = bool(re.match(r"\s+[\w\"'(]", text[end : end + 4]))
    return followed and (raw != "A" or not text[: end - 1].strip(" \t\n\"'(*"))


def _summed(found: Iterator[Token]) -> Iterator[Token]:
    """1 hour 30 minutes as one amount, 6 ft 2 in as well: larger units first, nothing between."""
    held: list[Token] = []
    for token in found:
        held.append(token)
        while (sum_ := _sum(held)) is not None:
            held = sum_
        if len(held) > 8:
            yield held.pop(0)
    yield from held


def _sum(held: list[Token]) -> list[Token] | None:
    """The last two amounts with their units as one, where they are parts of one."""
    for link in (0, 1):
        part = held[-4 - link :]
        if len(part) != 4 + link or part[1].kind != "unit" or part[-1].kind != "unit":
            continue
        if link and part[2].text not in ("and", "und", "et", "y", ","):
            continue
        one, other = part[0].value, part[-2].value
        if not (isinstance(one, Number) and isinstance(other, Number) and one.unit and other.unit):
            continue
        if one.unit.measures != other.unit.measures or one.unit.size <= other.unit.size:
            continue
        if one.unit.measures not in ("time", "month", "inch", "mass", "length"):
            continue
        amount = one.amounts[0] + other.amounts[0] * other.unit.size / one.unit.size
        whole = Number((amount,), one.digits, one.unit, one.bound)
        first = Token(whole.key, "value", part[0].start, part[-2].end, whole)
        return [*held[: -4 - link], first, Token(one.unit.name, "unit", first.end, part[-1].end)]
    return None


def _with_range_units(found: list[Token]) -> Iterator[Token]:
    """5–10 kg means 5 kg to 10 kg: the first number takes the second one's unit."""
    for n, token in enumerate(found):
        value, after = token.value, found[n + 1 : n + 4]
        if isinstance(value, Number) and value.unit is None and not value.version:
            joined = [t for t in after if t.text in _JOINS or (t.kind == "mark" and t.text == "-")]
            later = next((t.value for t in after if isinstance(t.value, Number)), None)
            near = later is not None and (after[0].value is later or bool(joined) and after[0] in joined)
            if near and later is not None and later.unit and not later.ordinal:
                value = Number(value.amounts, value.digits, later.unit, value.bound)
                token = Token(token.text, "value", token.start, token.end, value)
        yield token


_JOINS = {"to", "and", "or", "bis", "und", "oder", "à", "a", "y", "et", "ou", "至", "到", "或", "和", "と"}
