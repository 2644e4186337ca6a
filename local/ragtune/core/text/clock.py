"""Times of the day, on both clocks and as they are spoken.

No library of any size finds these in running text in more than English. A time with a part of the
day (pm, in the evening, 晚上) has one reading, so has one written on the clock; a spoken one
without (half past seven) has two.
"""

import re

from ragtune.core.text.values import Time

_PART = (
    r"(?:\s*,?\s*(?P<part>[ap]\.?\s?m\b\.?|(?:in\s+the|at)\s+(?:morning|afternoon|evening|night)|"
    r"(?:this|in the early)\s+morning|tonight|morgens|vormittags|nachmittags|abends|nachts|"
    r"du\s+matin|de\s+l'après-midi|du\s+soir|de\s+la\s+(?:mañana|tarde|noche))(?!\w))"
)
_HOUR = r"(?:[01]?\d|2[0-4])"
CLOCK = re.compile(
    rf"(?<![\w:.,])(?:(?P<h1>{_HOUR}):(?P<m1>[0-5]\d)(?::(?P<s1>[0-5]\d)(?:\.\d+)?)?"
    rf"(?:Z|\+00:00)?(?![\d:]){_PART}?(?:\s*(?:o'clock|[Uu]hr|hrs|hours)\b)?"
    rf"|(?P<h2>{_HOUR})(?:[.h ](?P<m2>[0-5]\d))?{_PART.replace('?P<part>', '?P<part2>', 1)}"
    rf"|(?P<h3>{_HOUR})(?:[.:](?P<m3>[0-5]\d))?\s*(?:[Uu]hr|o'clock)(?:\s(?P<m3b>[0-5]\d)\b)?"
    rf"{_PART.replace('?P<part>', '?P<part3>', 1)}?"
    rf"|(?P<h4>{_HOUR})\s?h(?:eures?)?\s?(?P<m4>[0-5]\d)(?!\w)"
    rf"|(?i:(?P<named>(?:12\s)?(?:noon|midday|midnight|mittag|mitternacht)|正午|midi|minuit)\b"
    rf"(?!\s*snack))"
    rf"|(?i:(?P<share>half|(?:a\s+)?quarter|viertel|\d{{1,2}}(?:\s?minutes?)?)\s+"
    rf"(?P<way>past|after|to|before|vor|nach)\s+(?P<h5>\d{{1,2}}))(?![\d:.,]*\d|\s*%)"
    rf"(?:\s?o'clock)?{_PART.replace('?P<part>', '?P<part5>', 1)}?"
    rf"|(?i:halb)\s(?P<h6>\d{{1,2}})\b{_PART.replace('?P<part>', '?P<part6>', 1)}?"
    rf"|(?:(?<=\bat\s)|(?<=\bby\s)|(?<=\buntil\s)|(?<=\bfrom\s))(?P<h7>1?\d)\s(?P<m7>[0-5]\d)\b(?![.,:]\d))"
    rf"|(?P<cpart>凌晨|早上|早晨|清晨|上午|中午|下午|傍晚|晚上|夜里|午前|午後|朝の?|夜の?|夕方の?)?"
    rf"(?P<h8>\d{{1,2}})(?:[点點]钟?|時|时|:(?=\d\d(?!\d)))(?![間间数\d]*間)"
    rf"(?:(?P<half>半)|(?P<m8>\d{{1,2}})(?!\d)分?|(?P<quarters>[13])刻)?(?![間间])",
    re.I,
)
"""Every notation; "shares of the hour" before numbers, so that no number is left over."""
_LATE = re.compile(r"p\.?\s?m|afternoon|evening|night|nachmittag|abend|soir|midi|tarde|noche|下午|"
                   r"傍晚|晚上|夜|午後|夕方|tonight", re.I)  # fmt: skip


def time(match: re.Match[str]) -> Time | None:
    """The time that `CLOCK` matched; None where it cannot be one."""
    part, at = match.groupdict(), match.string[: match.start()].lower()[-3:]
    if part["named"]:
        late = re.search(r"noon|midday|mittag$|正午|midi$", part["named"], re.I)
        return Time((12 * 3600,) if late else (0,))
    spoken = bool(part["h5"] or part["h6"] or (part["h3"] and not part["m3"] and not part["m3b"]))
    hour = int(next(part[f"h{n}"] for n in range(1, 9) if part[f"h{n}"]))
    minute = int(next((part[m] for m in ("m1", "m2", "m3", "m3b", "m4", "m7", "m8") if part[m]), 0))
    if part["half"]:
        minute = 30
    elif part["quarters"]:
        minute = 15 * int(part["quarters"])
    if part["h5"]:
        hour, minute = _shared(part["share"], part["way"], hour)
    elif part["h6"]:
        hour, minute = hour - 1, 30
    loose = part["h5"] and part["way"] in ("to", "before") and re.fullmatch(r"\d+", part["share"])
    if hour > 24 or (loose and not part["part5"] and not at.endswith("at ")):
        return None  # 5 to 10 is a range
    told = next(
        (part[p] for p in ("part", "part2", "part3", "part5", "part6", "cpart") if part[p]), ""
    )
    seconds = minute * 60 + int(part["s1"] or 0)
    if "uhr" in match[0].lower() and not told:
        spoken = hour <= 12
    return Time(tuple(h * 3600 + seconds for h in _hours(hour % 24, told, spoken=spoken)))


def _shared(share: str, way: str, hour: int) -> tuple[int, int]:
    """Half past seven, a quarter to eight, ten minutes past nine."""
    figure = re.match(r"\d+", share)
    minutes = int(figure[0]) if figure else 30 if share.lower() == "half" else 15
    if way.lower() in ("to", "before", "vor"):
        return (hour - 1) % 24, 60 - minutes
    return hour, minutes


def _hours(hour: int, told: str, *, spoken: bool) -> tuple[int, ...]:
    """The hour on the clock of 24, as far as the part of the day says it."""
    if told and hour <= 12:
        late = bool(_LATE.search(told))
        if ("night" in told and hour < 6) or (hour == 12 and "中午" in told):
            return (hour,)
        return (hour % 12 + 12 if late else hour % 12,)
    if spoken and hour <= 12:
        return hour % 12, hour % 12 + 12
    return (hour,)
