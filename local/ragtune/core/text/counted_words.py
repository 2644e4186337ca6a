"""Korean and Thai number words before what they count, as figures: 세 시간, 5만 원, สามวัน.

Their syllables are parts of other words as well (세대 is a generation, สามารถ is "can"), so they
are read only in front of a counter; scales after figures also where the words end.
"""

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction

_SINO = dict(zip("영일이삼사오육칠팔구", range(10), strict=True))
_SINO_STEPS = {"십": 10, "백": 100, "천": 1000}
_SINO_SCALES = {"만": 10**4, "억": 10**8, "조": 10**12}
_NATIVE = {
    word: value
    for value, word in enumerate(
        ["한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉"], start=1
    )
}
_NATIVE_TENS = {
    word: 10 * tens
    for tens, words in enumerate(
        ["열", "스물|스무", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔"], start=1
    )
    for word in words.split("|")
}
_THAI = {
    word: value
    for value, words in enumerate(
        ["หนึ่ง|เอ็ด", "สอง|ยี่", "สาม", "สี่", "ห้า", "หก", "เจ็ด", "แปด", "เก้า"], start=1
    )
    for word in words.split("|")
}
_THAI_STEPS = {"สิบ": 10, "ร้อย": 100, "พัน": 1000, "หมื่น": 10**4, "แสน": 10**5}
_THAI_SCALES = {"ล้าน": 10**6}

_KOREAN_COUNTERS = (
    "원|달러|유로|엔|년|개월|월|주|일|시간|분|초|명|인분|개|층|퍼센트|프로|미터|킬로|그램|톤|살|세|"
    "번|대|권|가구|km|kg|m|t|%"
)
_KOREAN_FIGURES = re.compile(
    r"(?<![\d.,])\d[\d,.]{0,30}\s?[십백천만억조]{1,4}"
    r"(?:\s?\d[\d,.]{0,30}\s?[십백천만억조]{1,4}|\s?\d{1,4}(?=\s?원)){0,4}"
    rf"(?=\s?(?:{_KOREAN_COUNTERS})|\W*$)"
)
_KOREAN_WORDS = re.compile(
    r"(?<![가-힣\d])(?:(?=[일이삼사오육칠팔구]?[십백천만억])[일이삼사오육칠팔구십백천만억]{2,20}"
    r"(?=\s?(?:원|달러|유로|년|개월|월|일|분|초|명|개|층|퍼센트|프로|미터|킬로|살|세)(?!부))"
    r"|[일이삼사오육칠팔구십](?=\s?(?:개월|퍼센트)))"
)
_TENS = "|".join(_NATIVE_TENS)
_KOREAN_NATIVE = re.compile(
    rf"(?<![가-힣])(?:({_TENS})?({'|'.join(_NATIVE)})|({_TENS}))"
    r"(?=\s?(?:시간|명|사람|마리|가지|달(?!러)|곳|군데)|\s(?:개(?!인)|살|번(?!호)|권|대(?!학)|시(?!장)|"
    r"잔|병(?!원)|장(?![소관])|주(?!소)|배))"
)
_WORD = "|".join((*_THAI, *_THAI_STEPS, *_THAI_SCALES))
_STEP = "|".join((*_THAI_STEPS, *_THAI_SCALES))
_THAI_WORDS = re.compile(
    rf"(?<![\d.,])(?<!\d )(?:\d[\d,.]{{0,30}}\s?(?:{_STEP})|{_WORD})(?:{_WORD}){{0,20}}"
    r"(?=\s?(?:ชั่วโมง|นาที|วินาที|วัน|สัปดาห์|เดือน|ปี|คน|บาท|ดอลลาร์|ยูโร|ครั้ง|เปอร์เซ็นต์|กิโล|"
    r"เมตร|ลิตร|กรัม|ชิ้น|ชั้น|ใบ|เล่ม|คัน|ห้อง|ตัว|ข้อ|แห่ง))"
)
_PIECES = re.compile(rf"\d[\d,.]*|{_WORD}|[{''.join((*_SINO, *_SINO_STEPS, *_SINO_SCALES))}]")


def counted(text: str) -> str:
    """The text with Korean and Thai numbers before counters as figures."""
    if re.search("[가-힣]", text):
        text = _KOREAN_FIGURES.sub(_korean, text)
        text = _KOREAN_WORDS.sub(_korean, text)
        text = _KOREAN_NATIVE.sub(_native, text)
    if re.search("[\u0e01-\u0e4e]", text):
        text = _THAI_WORDS.sub(_thai, text)
    return text


def _korean(match: re.Match[str]) -> str:
    return _written(match[0], _SINO, _SINO_STEPS, _SINO_SCALES)


def _thai(match: re.Match[str]) -> str:
    return _written(match[0], _THAI, _THAI_STEPS, _THAI_SCALES)


def _native(match: re.Match[str]) -> str:
    tens = match[1] or match[3]
    return str(_NATIVE_TENS.get(tens, 0) + _NATIVE.get(match[2], 0))


def _written(
    text: str, figures: Mapping[str, int], steps: Mapping[str, int], scales: Mapping[str, int]
) -> str:
    """One numeral in figures; as it is where its figures are none."""
    value = _value(_PIECES.findall(text), figures, steps, scales)
    if value is None:
        return text
    whole = value.denominator == 1
    return str(value.numerator) if whole else f"{float(value):.10f}".rstrip("0")


def _value(
    pieces: Sequence[str],
    figures: Mapping[str, int],
    steps: Mapping[str, int],
    scales: Mapping[str, int],
) -> Fraction | None:
    total = section = Fraction(0)
    figure: Fraction | None = None
    for piece in pieces:
        if piece[0].isdigit():
            if not re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?", piece):
                return None
            figure = Fraction(piece.replace(",", ""))
        elif piece in figures:
            figure = Fraction(figures[piece])
        elif piece in steps:
            section += (1 if figure is None else figure) * steps[piece]
            figure = None
        else:
            section += figure or 0
            total += (section or 1) * scales[piece]
            section, figure = Fraction(0), None
    return total + section + (figure or 0)
