"""The one normaliser: a text as a row of words, values and marks.

Everything that compares texts reads them here, so that metrics, support, labels and the gate agree
on what a word is. In short: NFKC, case folded, accents of Latin letters dropped, English articles
dropped, punctuation kept as marks and never inside a number, C++, C# and x > y with their signs,
scripts without spaces cut into characters, and numbers, dates and times as values.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from ragtune.core.text.amounts import summed, with_range_units
from ragtune.core.text.characters import UNSPACED, cleaned, folded
from ragtune.core.text.number_words import digits
from ragtune.core.text.reading import MAY_BE_VALUE, Notation, read_value
from ragtune.core.text.token import Token
from ragtune.core.text.values import Number

# Marks of Arabic, Hebrew, the Indic scripts and left-over accents belong to their letters.
_JOINED = "\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0dff\u0300-\u036f"
_LETTER = rf"(?:[^\W{UNSPACED}]|[{_JOINED}])"
_WORD = re.compile(
    rf"\.?{_LETTER}+(?:['.@&_]{_LETTER}+)*"
    r"(?:[+#]+(?!\w)|(?<=\b[A-Z])-(?=\s*(?:$|[,;.)])))?"  # C++, C#, A-
)
_ONE = re.compile(rf"[{UNSPACED}]")
_SYMBOL = re.compile(r"[<>!=]=|[<>=+±≈^→√≡∞]")
_MARK = re.compile(r"[.!?。]+|\n+|[,،、]|[;:()\[\]{}\"|]|-(?=\s)")
_ENDS = ".!?。"
_INITIALS = re.compile(r"\b([A-Z])\.\s+(?=[A-Z]\.)")
_ABBREVIATED = re.compile(
    r"\b(?:dr|mr|mrs|ms|prof|st|nr|no|vs|approx|ca|hr|fr|sr|sra|mme|capt|jr)$", re.I
)
_EUROPEAN = re.compile(
    r"€|\b\d+,\d{1,2}\b(?!,)|\d\.\d{3},\d|[äöüßñéèêç]|(?i:\b(?:euros?|eur|der|die|das|und|ist|uhr|"
    r"le|les|des|est|el|los|las|del|kronen|franken)\b)|"
    # German nouns have a capital: 4.300 Stimmen.
    r"(?<![\d.,])\d{1,3}\.\d{3} [A-Z][a-z]{2,}"
)
_BY = re.compile(r"\b(?:no|not) later than\b|\b(?:on|at) or before\b|\bup until\b", re.I)
_SPLIT_YEARS = re.compile(r"\b(1\d|20)(\d\d)[-/](\d\d)\b(?![-/\d:])")
_ROMAN = re.compile(r"(?=[ivx]{2,})(x{0,3})(ix|iv|v?i{0,3})")
_DAYS = {"Mon": "monday", "Tue": "tuesday", "Tues": "tuesday", "Wed": "wednesday",
         "Thu": "thursday", "Thur": "thursday", "Thurs": "thursday", "Fri": "friday",
         "Sat": "saturday", "Sun": "sunday"}  # fmt: skip
_NOT = {"cannot": ("can", "not"), "can't": ("can", "not"), "won't": ("will", "not"),
        "shan't": ("shall", "not")}  # fmt: skip
_SHORTENED = {"'ve": "have", "'re": "are", "'ll": "will", "'m": "am"}
_POSSESSIVE = re.compile(r"'(?:s|d)?$")
_ELISION = re.compile(r"^(?:[ldjmnstc]|qu)'(?=\w{3,})")


@lru_cache(maxsize=8192)
def tokens(text: str, *, european: bool | None = None, versions: bool = False) -> tuple[Token, ...]:
    """A text's words, values, units, symbols and marks, in order.

    ``european`` says whether a point may divide thousands (None: as the text looks), ``versions``
    that numbers with a point are versions. Where stripping leaves nothing, the text is one word.
    """
    return _tokens(text, Notation(looks_european(text) if european is None else european, versions))


def words(text: str) -> list[str]:
    """A text as metrics compare it: one string for each word, value, unit and symbol."""
    return [token.text for token in tokens(text) if token.kind != "mark"]


@lru_cache(maxsize=8192)
def normalised(text: str) -> str:
    """A text's words in one line, for comparing whole texts."""
    return " ".join(words(text))


def looks_european(text: str) -> bool:
    """Whether a text shows a decimal comma, or words of a language that writes one."""
    return bool(_EUROPEAN.search(text))


@lru_cache(maxsize=8192)  # other callers name the notation that this text has anyhow
def _tokens(text: str, notation: Notation) -> tuple[Token, ...]:
    text = _INITIALS.sub(r"\1.", cleaned(text))
    text = _SPLIT_YEARS.sub(_whole_years, _BY.sub("by", digits(text)))
    found = tuple(summed(with_range_units(list(_scanned(text, notation)))))
    if any(t.kind != "mark" for t in found) or not text.strip():
        return found
    return (Token(text.strip().casefold(), "word", 0, len(text)),)


def _whole_years(match: re.Match[str]) -> str:
    """1914-18 as 1914-1918; 2021-05 stays a month."""
    later = int(match[3]) > int(match[2])
    return f"{match[1]}{match[2]}-{match[1]}{match[3]}" if later else match[0]


def _scanned(text: str, notation: Notation) -> Iterator[Token]:
    """The tokens from left to right: what is no value is a character, a word or a sign."""
    place = 0
    while place < len(text):
        if text[place] == " ":
            place += 1
            continue
        read = read_value(text, place, notation) if _may_be_value(text, place) else ()
        if read:
            yield from read
            place = read[-1].end
        elif _ONE.match(text, place):
            yield Token(text[place].casefold(), "word", place, place + 1)
            place += 1
        elif (word := _WORD.match(text, place)) and word[0] != ".":
            yield from _written(word, text)
            place = word.end()
        else:
            sign, place = _sign(text, place)
            if sign:
                yield sign


def _may_be_value(text: str, place: int) -> bool:
    """Whether a value can begin here, which it cannot inside a word."""
    inside = (
        place and text[place] < "\u0e00" and text[place].isalpha() and text[place - 1].isalpha()
    )
    return not inside and MAY_BE_VALUE.match(text, place) is not None


def _sign(text: str, place: int) -> tuple[Token | None, int]:
    """A symbol or a mark, and where it ends; nothing for what only decorates."""
    if text[place] == "&":
        return Token("and", "word", place, place + 1), place + 1
    if found := _SYMBOL.match(text, place):
        # A ">" at the beginning of a line is a quotation's, not a comparison.
        quotes = found[0] == ">" and not text[:place].rpartition("\n")[2].strip()
        return None if quotes else Token(found[0], "symbol", place, found.end()), found.end()
    found = _MARK.match(text, place)
    if not found:
        return None, place + 1
    if found[0] == "." and _ABBREVIATED.search(text, max(0, place - 8), place):
        return None, found.end()
    return Token(_mark(found[0][0]), "mark", place, found.end()), found.end()


def _mark(written: str) -> str:
    """One mark for all that end a sentence, for commas, and for what else divides."""
    if written == "\n":
        return "\n"
    return "." if written in _ENDS else "," if written in ",،、" else ";"


def _written(match: re.Match[str], text: str) -> Iterator[Token]:
    """A word without endings that only grammar asks for; two words for a contraction."""
    raw, start, end = match[0].lstrip("."), match.start(), match.end()
    if _is_article(raw, text, end):
        return
    parts = _parts(raw)
    if start and len(raw) > 1 and (roman := _ROMAN.fullmatch(parts[0])):
        fives = {"ix": 9, "iv": 4}.get(roman[2], 5 * ("v" in roman[2]) + roman[2].count("i"))
        value = Number((Fraction(10 * len(roman[1]) + fives),), str(10 * len(roman[1]) + fives))
        yield Token(value.key, "value", start, end, value)
        return
    upper = raw.isupper() and (len(raw) > 1 or raw not in "AI" or not start)
    for part in parts:
        yield Token(part, "word", start, end, capital=raw[0].isupper(), upper=upper)


def _parts(raw: str) -> tuple[str, ...]:
    """The words that one written word holds."""
    if raw.isascii() and raw.isalpha() and raw not in _DAYS and raw.lower() not in _NOT:
        return (raw.lower(),)
    word = folded(raw)
    if word in _NOT or word.endswith("n't"):
        return _NOT.get(word, (word[:-3], "not"))
    if "&" in word:
        return tuple(word.replace("&", " and ").split())
    if raw in _DAYS:
        return (_DAYS[raw],)
    for ending, meaning in _SHORTENED.items():
        if word.endswith(ending) and len(word) > len(ending):
            return (word.removesuffix(ending), meaning)
    bare = _ELISION.sub("", _POSSESSIVE.sub("", word)).replace("'", "")
    return (bare.replace(".", "") if re.fullmatch(r"(?:\w\.)+\w", bare) else bare or word,)


def _is_article(raw: str, text: str, end: int) -> bool:
    """An article stands before a word; vitamin A and option A end in a name."""
    if raw.lower() not in ("a", "an", "the"):
        return False
    followed = re.match(r"\s+[\w\"'(]", text[end : end + 4]) is not None
    return followed and (raw != "A" or not text[: end - 1].strip(" \t\n\"'(*"))
