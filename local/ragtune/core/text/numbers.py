"""Numbers in figures: signs, decimals, thousands, fractions, exponents, versions, ratios, codes.

Quantulum and babel read one notation at a time and are told which; answers mix them, so the
notation is read off the figures, and both readings are kept where a point or a comma leaves it
open ("1.500" among German words).
"""

import re
from fractions import Fraction

from ragtune.core.text.units import BEFORE, UNIT, by_sign, named
from ragtune.core.text.values import Code, Number, Ratio

_BODY = (
    r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d{1,3}(?:\.\d{3})+(?!\d)(?:,\d+)?"
    r"|\d{1,3}(?:[ \u00a0\u2009\u202f']\d{3})+(?!\d)(?:[.,]\d+)?"
    r"|\d{1,2}(?:,\d\d)+,\d{3}(?!\d)(?:\.\d+)?|\d{1,99}\.\d{1,99}(?!\.?\d)|\d{1,99},\d{1,99}(?![,\d])|\d{1,99}|\.\d{1,99})"
)
_OVER = (
    r"at\s+least|(?:a\s+)?minimum(?:\s+of)?|no\s+(?:less|fewer)\s+than|not\s+less\s+than|"
    r"more\s+than|over|above|mindestens|au\s+moins|al\s+menos|plus\s+de|más\s+de|mehr\s+als|"
    r"greater\s+than|至少|超过"
)
_UNDER = (
    r"at\s+most|(?:a\s+)?maximum(?:\s+of)?|up\s+to|no\s+more\s+than|not\s+more\s+than|"
    r"less\s+than|fewer\s+than|under|below|höchstens|maximal|au\s+plus|como\s+máximo|"
    r"weniger\s+als|moins\s+de|menos\s+de|最多|不超过|不到"
)
NUMBER = re.compile(
    rf"(?:(?:(?P<over>{_OVER})|(?P<under>{_UNDER}))\s*)?"
    rf"(?P<sign>(?<![\w.)%])[-+]\s?(?=[\d.$€£¥]))?(?:(?P<before>{BEFORE})\s?(?P<sign2>-)?(?=\.?\d))?"
    rf"(?<![\d.])(?:(?P<mixed>\d{{1,15}})\s)?(?P<upper>\d{{1,15}})/(?P<lower>[1-9]\d{{0,14}})(?![/\d.,]*\d)"
    rf"|(?:(?:(?P<over2>{_OVER})|(?P<under2>{_UNDER}))\s*)?"
    rf"(?P<sign3>(?<![\w.)%])[-+](?=[\d.$€£¥]))?(?:(?P<before2>{BEFORE})\s?(?P<sign4>-)?(?=\.?\d))?"
    rf"(?<![A-Za-z\d])(?P<body>{_BODY})"
    rf"(?:\s?[x\u00d7*]\s?10\^?(?P<power>[-+]?\d+)|[eE](?P<power2>[-+]?\d+)(?!\w)"
    rf"|\^(?P<raised>[-+]?\d{{1,2}})(?!\w))?"
    rf"(?:\s?(?P<scale>bn|mn|tn|Mio\.?|Mrd\.?)(?!\w)|(?P<letter>[kKMmB])(?![\w/²]))?"
    rf"(?P<ordinal>(?:st|nd|rd|th|er|ème|º|ª)(?!\w))?",
    re.I,
)
VERSION = re.compile(
    r"(?<![\w.,])(?:[vV]\.?\s?(?=\d)(?P<named>\d{1,15}(?:\.\d{1,15})*)|(?P<dotted>\d{1,15}(?:\.\d{1,15}){2,}))(?![\d,])"
)
RATIO = re.compile(
    r"(?<![\w:.,/])(\d{1,15}(?:[.,]\d{1,15})?(?:(?: : |:)\d{1,15}(?:[.,]\d{1,15})?)+)(?![:\d])"
)
CODE = re.compile(
    r"(?<![\w.,+])(?:(?P<long>\+?\(?\d[\d ().-]{7,}\d)(?![\w%])"
    r"|(?P<zeros>0\d{2,}|\d{30,})(?![\d.,:]))"
)
_SCALES = {"bn": 9, "mn": 6, "tn": 12, "mio": 6, "mrd": 9, "k": 3, "m": 6, "b": 9}
_AFTER_OVER = re.compile(r"\s*(?:or\s+(?:more|over|older|above)|and\s+(?:over|above|more)|以上|"
                         r"minimum|oder\s+mehr|ou\s+plus|o\s+más)(?!\w)", re.I)  # fmt: skip
_AFTER_UNDER = re.compile(r"\s*(?:or\s+(?:less|fewer|under|below)|and\s+under|以下|以内|maximum|"
                          r"oder\s+weniger)(?!\w)", re.I)  # fmt: skip


def number(match: re.Match[str], text: str, *, european: bool, version: bool) -> tuple[Number, int]:
    """The number that `NUMBER` matched, with its unit, and where that ends.

    ``european`` says that a point may divide thousands here, ``version`` that a number with a
    point and no unit is compared part by part.
    """
    amounts, digits = _amounts(match, european=european)
    minus = any(match[s] and "-" in match[s] for s in ("sign", "sign2", "sign3", "sign4"))
    if minus:
        amounts = tuple(-a for a in amounts)
    before = match["before"] or match["before2"]
    unit = by_sign(before) or by_sign(before.upper()) if before else None
    end = match.end()
    letter = match["letter"]
    if letter and not (letter in "kK" or (before and letter in "MmB") or letter == "M"):
        end = match.start("letter")
    elif letter or match["scale"]:
        scale = _SCALES[(letter or match["scale"]).lower().rstrip(".")]
        amounts = tuple(a * 10**scale for a in amounts)
    if after := UNIT.match(text, end):
        unit = (unit if before else None) or named(after) or unit
        end = after.end()
    bound = (
        ">" if match["over"] or match["over2"] else "<" if match["under"] or match["under2"] else ""
    )
    for found, pattern in ((">", _AFTER_OVER), ("<", _AFTER_UNDER)):
        if not bound and (behind := pattern.match(text, end)):
            bound, end = found, behind.end()
    read = Number(
        amounts, digits, unit, bound, bool(match["ordinal"]),
        version=version and "." in digits and unit is None and not before,
    )  # fmt: skip
    return read, end


def _amounts(match: re.Match[str], *, european: bool) -> tuple[tuple[Fraction, ...], str]:
    """All readings of the figures, without their sign, and the figures."""
    if match["upper"]:
        share = Fraction(int(match["upper"]), int(match["lower"])) + int(match["mixed"] or 0)
        return (share,), f"{match['upper']}/{match['lower']}"
    body = re.sub(r"[\s']", "", match["body"])
    power = int(match["power"] or match["power2"] or 0)
    factor = Fraction(10) ** power if abs(power) < 400 else Fraction(1)
    amounts = tuple(Fraction(r) * factor for r in _readings(body, european=european))
    if match["raised"] and all(amounts):
        amounts = tuple(a ** int(match["raised"]) for a in amounts)
    return amounts, body


def _readings(body: str, *, european: bool) -> list[str]:
    """The likelier reading of points and commas first."""
    points, commas = body.count("."), body.count(",")
    if points and commas:
        decimal = max(".,", key=body.rfind)
        return [body.replace(",."[decimal == ","], "").replace(",", ".")]
    if points > 1 or commas > 1:
        return [re.sub(r"[.,]", "", body)]
    whole, sign, rest = body.partition("." if points else ",")
    if not sign:
        return [body]
    decimal, thousands = f"{whole or 0}.{rest}", whole + rest
    if len(rest) != 3 or not whole or len(whole) > 3 or whole.startswith("0"):
        return [decimal]
    if sign == ",":
        return [thousands, decimal] if european else [thousands]
    return [decimal, thousands] if european or rest == "000" else [decimal]


def ratio(match: re.Match[str]) -> Ratio:
    """The parts of a ratio, such as 1 : 10."""
    return Ratio(tuple(Fraction(p.strip().replace(",", ".")) for p in match[1].split(":")))


def code(match: re.Match[str]) -> Code | None:
    """A number that is a name; None where the figures are an amount, a date or a range."""
    if match["zeros"]:  # or too long for an amount, as a model that repeats itself writes it
        return Code(match["zeros"])
    written = match["long"]
    digits = re.sub(r"\D", "", written)
    groups = len(re.findall(r"[-.]", written))
    if len(digits) < 9 or re.fullmatch(r"\d{1,3}([ .]\d{3})+", written) or written.isdigit():
        return None
    dashed = groups >= 2 and not re.search(r"\d{4}-\d\d-\d\d|\d{4}\s?-\s?\d{4}", written)
    return Code(digits) if written[0] in "+0(" or dashed else None
