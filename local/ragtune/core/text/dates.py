"""Dates in the notations of English, German, French, Spanish, Chinese and Japanese, and ISO's.

dateparser reads more languages, but takes milliseconds a date, fills in parts that are not said
from today's date, and finds dates in text by trying; babel's month names come with 10 MB.
"""

import re

from ragtune.core.text.values import Date

_NAMES = (
    "january jan januar janvier enero januar jänner ene",
    "february feb februar février fevrier febrero",
    "march mar märz maerz mars marzo",
    "april apr avril abril avr abr",
    "may mai mayo",
    "june jun juni juin junio",
    "july jul juli juillet julio",
    "august aug août aout agosto",
    "september sep sept septembre septiembre setiembre",
    "october oct oktober okt octobre octubre",
    "november nov novembre noviembre",
    "december dec dezember dez décembre decembre diciembre déc dic",
)
MONTHS = {name: n for n, names in enumerate(_NAMES, 1) for name in names.split()}
_SHY = {"may", "march", "mar", "mars", "mai", "jun", "dec", "jan", "sep", "ene", "dic", "okt"}
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_ALONE = "|".join(sorted(set(MONTHS) - _SHY, key=len, reverse=True))
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:1\d{3}|20\d\d|21\d\d)"
DATE = re.compile(
    rf"(?<![\w.])(?:(?P<iso>{_YEAR}[-/.](?:0?[1-9]|1[0-2])[-/.]{_DAY}(?=T\d|(?!\d)(?![-/.]\d)))"
    rf"|(?P<isomonth>{_YEAR}-(?:0[1-9]|1[0-2]))(?![\w-])"
    rf"|(?P<short>(?:0?[1-9]|1[0-2])/{_YEAR})(?![\w/.]*\d)"
    rf"|(?P<figures>(?P<f1>\d\d?)[-/.]\s?(?P<f2>\d\d?)[-/.]\s?(?P<f3>{_YEAR}|\d\d))(?![\w.]*\d)(?!\w)"
    rf"|(?P<d1>{_DAY})(?:st|nd|rd|th|er|\.|º)?(?:\s+(?:day\s+)?of|\s+de|-|\s)?\s*"
    rf"(?P<m1>(?i:{_MONTH}))\b\.?(?:(?:\s*,|\s+of|\s+del?|-)?\s*(?P<y1>{_YEAR})\b)?"
    rf"|(?P<m2>(?i:{_MONTH}))\b\.?\s*(?:the\s+)?(?P<d2>{_DAY})(?:st|nd|rd|th)?\b(?![.,:]\d|\s*%)"
    rf"(?:\s*,?\s*(?P<y2>{_YEAR})\b)?"
    rf"|(?P<m3>(?i:{_MONTH}))\b\.?,?(?:\s+of|\s+de|-)?\s*(?P<y3>{_YEAR})\b"
    rf"|(?P<m4>(?i:{_ALONE})|(?:(?<=\bin )|(?<=\bby )|(?<=\bsince ))(?:may|march)"
    rf"|May|March|Mai|Mars)\b(?!\s+(?:I|we|you|be|not)\b))"
    rf"|(?P<cjk>(?:(?P<cy>\d{{4}})年)?(?P<cm>\d{{1,2}})月(?!間)(?:(?P<cd>\d{{1,2}})[日号號])?"
    rf"|(?P<cy2>\d{{4}})年(?!間)|(?<![\d月])(?P<cd2>\d{{1,2}})[日号號](?!間|线|線))"
)
"""Every notation. The verb "may" counts as a month only with a figure, or with a capital."""


def date(match: re.Match[str]) -> Date:
    """The date that `DATE` matched, with all readings of figures alone."""
    part = match.groupdict()
    if part["iso"] or part["isomonth"]:
        year, month, *day = (int(n) for n in re.split(r"[-/.]", part["iso"] or part["isomonth"]))
        return Date(((year, month, day[0] if day else 0),))
    if part["short"]:
        first, last = part["short"].split("/")
        return Date(((int(last), int(first), 0),))
    if part["figures"]:
        return _figures(part["f1"], part["f2"], part["f3"], dotted="." in part["figures"])
    if part["cjk"]:
        year = int(part["cy"] or part["cy2"] or 0)
        return Date(((year, int(part["cm"] or 0), int(part["cd"] or part["cd2"] or 0)),))
    name = next(part[m] for m in ("m1", "m2", "m3", "m4") if part[m])
    year = int(part["y1"] or part["y2"] or part["y3"] or 0)
    return Date(((year, MONTHS[name.lower()], int(part["d1"] or part["d2"] or 0)),))


def is_date(match: re.Match[str]) -> bool:
    """Whether the figures that `DATE` matched can be a date; 31.31.2021 cannot."""
    if match["figures"] and re.fullmatch(r"\d\.\d\d?\.\d\d|\d\d\.\d\.\d\d", match["figures"]):
        return False  # 2.10.11 is a version
    return not match["figures"] or bool(
        _figures(match["f1"], match["f2"], match["f3"], dotted="." in match["figures"]).readings
    )


def _figures(first: str, second: str, year: str, *, dotted: bool) -> Date:
    """Day and month in both orders where neither can only be a day; dots say day first."""
    whole = int(year) if len(year) == 4 else int(year) + (2000 if int(year) < 70 else 1900)
    orders = [(int(second), int(first))] + ([] if dotted else [(int(first), int(second))])
    return Date(tuple((whole, m, d) for m, d in orders if 1 <= m <= 12 and 1 <= d <= 31))
