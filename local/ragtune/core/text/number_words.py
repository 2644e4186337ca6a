"""Number words written as digits, so that what follows has to know figures alone.

text2num reads English, German, French and Spanish numbers in microseconds, ordinals included.
Own code is what it does not do: scales after figures (1.2 million), years (nineteen eighty-four),
dozens and halves, negative numbers, and Chinese and Japanese numerals, for which the libraries
(cn2an and the like) read a whole text as one number or bring a data set along.
"""

import re
from fractions import Fraction

from text_to_num import alpha2digit

from ragtune.core.text.counted_words import counted

_SCALES = {
    word: 10**power
    for power, names in {
        2: "hundred",
        3: "thousand tausend mille mil",
        5: "lakh",
        6: "million millions millionen millón millon millones",
        7: "crore",
        9: "billion milliarde milliarden milliard milliards",
        12: "trillion",
    }.items()
    for word in names.split()
}
"""What follows figures: 1.2 million, 2,5 Millionen."""
_UNITS = "one|two|three|four|five|six|seven|eight|nine"
_TEENS = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_ENGLISH = re.compile(
    rf"\b(?:zero|{_UNITS}|{_TEENS}|(?:{_TENS})|hundred|thousand|million|billion|trillion|first|"
    r"second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|twentieth|"
    r"thirtieth|fortieth|fiftieth|sixtieth|seventieth|eightieth|ninetieth)",
    re.I,
)
_OTHERS = {
    "de": re.compile(
        r"(?i:zwei|drei|fünf|sechs|sieben|zehn|zwölf|\bvier|\bacht|\bneun|zig\b|ßig\b|hundert|"
        r"tausend)|\b(?i:null|elf|dritte\w?|vierte\w?)\b(?= [A-ZÄÖÜ])"
    ),
    "fr": re.compile(
        r"\b(?i:deux|trois|quatre|cinq|huit|neuf|onze|douze|treize|quatorze|quinze|seize|vingt|"
        r"trente|quarante|cinquante|soixante|deuxième|troisième)\b|\b(?:sept|dix|cent|mille)"
        r"(?= (?:mois|jours|heures|ans|euros|\w+s)\b)|^(?:sept|dix)$"
    ),
    "es": re.compile(
        r"\b(?:[Dd]os|[Tt]res|(?i:cuatro|cinco|seis|siete|ocho|nueve|diez|doce|trece|catorce|"
        r"quince|diecis\w+|veint\w+|treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa|"
        r"cien|ciento|doscient\w+|trescient\w+|quinient\w+))\b|\bonce (?=de |meses|días|horas|años)"
    ),
}
_AFTER_FIGURES = re.compile(
    rf"(\d[\d.,]{{0,30}})[ -]?((?:{'|'.join(sorted(_SCALES, key=len, reverse=True))}))\b", re.I
)
_YEAR = re.compile(
    rf"\b(thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty)[ -]"
    rf"((?:{_TENS})(?:[ -](?:{_UNITS}))?|{_TEENS}|(?:oh|o)[ -](?:{_UNITS}))\b",
    re.I,
)
_PRONOUN = re.compile(
    r"\b(?:(?:the|this|that|which|no|any|every|some|each|another|for)(?: \w+)? )one\b"
    r"(?!-|\s+(?:hundred|thousand|million|billion|\w+s\b))|\bone(?='s| another\b)|\bno one\b",
    re.I,
)
_OF_TIME = re.compile(r"(?<=\d[ -])second(?=\b)", re.I)
_HYPHENED = re.compile(
    r"(?<=\b(?:one|two))-(?=thirds?\b|quarters?\b)|(?<=\bthree)-(?=quarters\b)", re.I
)
_UNIT = r"(?=(?:second|minute|hour|day|week|month|year|decade|century)\b)"
_IN_WORDS = [
    (re.compile(pattern, re.I), figures)
    for pattern, figures in (
        (r"\bone and a half\b|\banderthalb\b|\beineinhalb\b|\bune? (\w+) et demie?\b", r"1.5 \1"),
        (r"\b(\d+) and a half\b", r"\g<1>.5"),
        (r"\b(\d+) and a quarter\b", r"\g<1>.25"),
        (r"\b(\d+) and 3 quarters\b", r"\g<1>.75"),
        (r"\b(?:an?|1) (\w+) and a half\b", r"1.5 \1"),
        (r"\bhalf a (?=10{2,15}\b)", r"0.5*"),
        (r"\b(?:an? )?half(?: a)?[ -]dozen\b", r"6"),
        (r"\bhalf an? ", r"0.5 "),
        (
            r"\b(?:(?:one|1|an?) )?half\b(?!-|[\s-]*(?:past|time|way|board|term|sister|brother|"
            r"price|\d))",
            r"1/2",
        ),
        (r"\b(?:1|an?) quarter of\b", r"1/4 of"),
        (r"\b([1-9]\d?)[ -]quarters\b(?! past)", r"\1/4"),
        (r"\b1[ -]quarter\b", r"1/4"),
        (r"\b([1-9]\d?)[ -](\d+)(?:rds|ths)\b", r"\1/\2"),
        (r"\b(?:1|a)[ -]3rd\b(?= of|\W*$)", r"1/3"),
        (r"\b1[ -](\d+)(?:rd|th)\b", r"1/\1"),
        (r"\ban? (?=10{2,}\b)", r""),
        (r"\bfortnightly\b", r"every 2 weeks"),
        (r"\b(?:a |1 )?fortnight\b", r"2 weeks"),
        (r"\btwice\b", r"2 times"),
        (r"\bthrice\b", r"3 times"),
        # An hour is one where it lasts, not where it is a rate (twice an hour).
        (
            r"(^\W*|\b(?:in|within|for|takes?|lasts?|about|after|is|only|than|under|over)\s+)an?\s+"
            + _UNIT,
            r"\g<1>1 ",
        ),
        (
            r"\b(\d+) (pounds?|euros?|dollars?|francs?) (?:and )?(\d\d)"
            r"(?: (?:pence|cents?))?\b(?! ?\w)",
            r"\1.\3 \2",
        ),
        (r"\b(\d+) out of (\d+)\b", r"\1/\2"),
        (r"^\W*(?:none|nil|keine?|aucune?|ninguno)\W*$", r"0"),
        (r"(?:(?<=there is )|(?<=there are ))none\b", r"0"),
        (
            r"\b(?:an? |1 )?dozen\b(?! of)|\ban? dozen of\b|\bein dutzend\b|"
            r"\bune douzaine(?: de)?\b|\buna docena(?: de)?\b",
            r"12",
        ),
        (r"\b(?:minus|negative|moins|menos) (?=\d)", r"-"),
        (
            r"(?<![\w-])(\d[\d.,]*)( ?(?:°|degrees?|grad)? ?(?:[CF]\b|celsius|fahrenheit)?) "
            r"below (?:zero|0)\b",
            r"-\1\2",
        ),
    )
]
_IN_WORDS_HINT = re.compile(
    r"half|quarter|\d(?:rd|th)|dozen|dutzend|douzaine|docena|anderthalb|eineinhalb|demie|minus|"
    r"negative|moins|menos|below|twice|thrice|fortnight|out of|none|nil|kein|aucun|ningun|"
    r"\ban? (?:10|second|minute|hour|day|week|month|year|decade|century)|"
    r"\d (?:and a|pound|euro|dollar|franc)",
    re.I,
)
_PRODUCT = re.compile(r"\b0\.5\*(\d{1,16})\b")
_MULTIPLE = re.compile(r"\b(\d{1,15}) 12\b(?=\s+[a-z]|\W*$)")
_HAN_DIGITS = dict(
    zip("〇零一二三四五六七八九两兩壱弐参", [0, *range(10), 2, 2, 1, 2, 3], strict=True)
)
_HAN_HINT = re.compile(r"[〇零一二三四五六七八九十百千万萬億亿兆两兩壱弐参半割下周星]")
_COUNTED_HINT = re.compile("[\u0e01-\u0e4e\uac00-\ud7a3]")
_HAN_STEPS = {"十": 10, "百": 100, "千": 1000}
_HAN_SCALES = {"万": 10**4, "萬": 10**4, "億": 10**8, "亿": 10**8, "兆": 10**12}
_HAN_NUMBER = re.compile(
    rf"[{''.join(_HAN_DIGITS)}\d.,]*(?:[{''.join(_HAN_DIGITS)}十百千万萬億亿兆]+\d*)+"
    rf"(?:点[{''.join(_HAN_DIGITS)}]+(?![{''.join(_HAN_DIGITS)}十]*分))?"
)
_HAN_FIXED = [
    (re.compile(p), r)
    for p, r in (
        (r"(\d+)分之(\d+)", r"\2/\1"),
        (r"\ue000(-?[\d.]+)", r"\1%"),
        (r"(?:\ue001|マイナス|负|負)(?=\d)", "-"),
        (r"(\d+)([个個])半", r"\1.5\2"),
        (r"(\d+)年半", r"\1.5年間"),
        (r"半年", "6个月"),
        (r"(\d+)(天|時間|小时|岁)半", r"\1.5\2"),
        (r"半(?=[个個]?(?:小时|小時|天|日|时间|時間|月))", "0.5"),
        (r"(\d+)割", r"\g<1>0%"),
    )
]


def digits(text: str) -> str:
    """The text with its number words, scales and fractions in words as figures."""
    if _ENGLISH.search(text):
        text = _OF_TIME.sub("sec", _HYPHENED.sub(" ", text))
        text = _YEAR.sub(lambda m: f" {_year(m[1], m[2])}", text)
        text = _AFTER_FIGURES.sub(_scaled, text)
        if "one" in text.lower():
            # "The red one" counts nothing: held back from the reader of number words.
            text = _PRONOUN.sub(lambda m: re.sub("one$", "_o_n_e_", m[0], flags=re.I), text)
        text = _read(text, "en", 0.0).replace("_o_n_e_", "one")
    for language, pattern in _OTHERS.items():
        if pattern.search(text):
            # Not "un" and "ein": they are articles as well.
            text = _read(text, language, 1.0)
    text = _AFTER_FIGURES.sub(_scaled, text)
    if _IN_WORDS_HINT.search(text):
        for pattern, written in _IN_WORDS:
            text = pattern.sub(written, text)
    text = _PRODUCT.sub(lambda m: str(int(m[1]) // 2), text)
    text = _MULTIPLE.sub(lambda m: str(int(m[1]) * 12), text)
    if _HAN_HINT.search(text):
        # Held back: their own characters are numerals.
        text = text.replace("星期", "周").replace("礼拜", "周")
        text = (
            text.replace("百分之", "\ue000").replace("零下", "\ue001").replace("三明治", "\ue002")
        )
        text = _HAN_NUMBER.sub(_from_han, text)
        for pattern, written in _HAN_FIXED:
            text = pattern.sub(written, text)
        text = (
            text.replace("\ue000", "百分之").replace("\ue001", "零下").replace("\ue002", "三明治")
        )
    return counted(text) if _COUNTED_HINT.search(text) else text


def _year(century: str, rest: str) -> int:
    """Nineteen eighty-four, twenty oh five."""
    spoken = re.sub(r"^(?:oh|o)[ -]", "", rest, flags=re.I)
    return 100 * int(_read(century, "en", 0.0)) + int(_read(spoken, "en", 0.0))


def _read(text: str, language: str, above: float) -> str:
    """The text with the number words above a value as figures."""
    read: str = alpha2digit(text, language, above)
    return read


def _scaled(match: re.Match[str]) -> str:
    """1.2 million as 1200000; the decimal sign may be a comma."""
    figure, scale = match[1].rstrip(".,"), _SCALES[match[2].lower()]
    if re.fullmatch(r"\d{1,3}(,\d{3})+", figure):
        figure = figure.replace(",", "")
    figure = figure.replace(",", ".")
    return plain(Fraction(figure) * scale) if figure.count(".") < 2 else match[0]


def plain(value: Fraction) -> str:
    """A number's shortest decimal notation; a fraction where it has no short one."""
    if value.denominator == 1:
        return str(value.numerator)
    if abs(value) < 10**15:
        shown = f"{float(value):.10f}".rstrip("0")
        if Fraction(shown) == value:
            return shown
    return f"{value.numerator}/{value.denominator}"


def _from_han(match: re.Match[str]) -> str:
    """三千五百, 二〇二四, 3.5万, 1億2000万, 三点一四, as figures; what is no number stays."""
    whole, _, decimals = match[0].partition("点")
    value = _han_value(whole)
    if value is None:
        return match[0]
    if decimals:
        return f"{plain(value)}.{''.join(str(_HAN_DIGITS[c]) for c in decimals)}"
    return plain(value)


def _han_value(text: str) -> Fraction | None:
    """The value of a numeral with its scales, None where it is malformed."""
    total = section = Fraction(0)
    figure = ""
    for sign in text:
        if sign in _HAN_DIGITS:
            figure += str(_HAN_DIGITS[sign])
        elif sign.isdigit() or sign in ".,":
            figure += sign
        elif (amount := _figure(figure)) is None:
            return None
        elif sign in _HAN_STEPS:
            section += (amount if figure else 1) * _HAN_STEPS[sign]
            figure = ""
        else:
            section += amount if figure else 0
            total += (section or 1) * _HAN_SCALES[sign]
            section, figure = Fraction(0), ""
    last = _figure(figure)
    return None if last is None else total + section + last


def _figure(figure: str) -> Fraction | None:
    """Digits with or without a decimal point; 0 for none."""
    bare = figure.lstrip("0") if figure.strip("0") else figure[:1]
    bare = bare.replace(",", "")
    try:
        return Fraction(bare or "0")
    except ValueError:
        return None
