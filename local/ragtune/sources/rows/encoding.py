"""Bytes → text: the encoding that a file is in, where there is no doubt about it.

A wrong guess is worse than a refusal, for nobody would see it. UTF-8 and UTF-16 are known by what
they are made of; of the older encodings, those that are left to be read are the ones in which the
text is then in one Western language's letters, or in the common characters of Chinese, Japanese or
Korean. Everything else is refused, and `records.encoding` can name it.
"""

import codecs
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from ragtune.core.text import charset
from ragtune.core.text.shortening import shortened

BOMS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8 with a byte-order mark"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
UTF8 = "UTF-8"
ALPHABETS = (
    "äöüß",
    "àâæçéèêëîïôœùûüÿ",
    "áéíñóúü",
    "àèéìíîòóùú",
    "áâãàçéêíóôõúü",
    "áàâäåæèéêëïöøóòôü",
    "áðéíóúýþæö",
    "àçèéíïòóúü",
)
"""The letters beyond ASCII of German, French, Spanish, Italian, Portuguese, the Scandinavian
languages and Dutch, Icelandic, Catalan."""
ORDINALS = "\xaa\xba"
SIGNS = "".join(
    letter
    for letter in bytes(range(0x80, 0x100)).decode("cp1252", "ignore")
    if not letter.isalpha() or letter in ORDINALS
)
"""What cp1252 has beside letters."""
WITHIN = "\u2018\u2019\u2013\u2014\xb7\xad\xa0"
"""Signs that may be between two letters: apostrophes, dashes, a dot, a soft hyphen, a space."""
_TORN = re.compile(f"[^\\W\\d_][{''.join(c for c in SIGNS if c not in WITHIN)}][^\\W\\d_\xaa\xba]")
SAMPLE = 1 << 20
"""Bytes beyond ASCII, with what is between them, that an older encoding is known by."""
_BEYOND = re.compile(rb"[\x80-\xff]+")
_PAIR = re.compile(rb"[\x81-\xfe][\x30-\xfe]")


@dataclass(frozen=True)
class Text:
    """A file's text, and its encoding as a person would name it.

    ``broken``: it is UTF-8 but for some bytes, which are lone surrogates in the text.
    """

    text: str
    encoding: str
    broken: bool = False


class UnknownEncoding(ValueError):
    """Why bytes cannot be read as text, and what to do about it."""


def decoded(content: bytes, named: str | None = None) -> Text:
    """The text of a file, in the encoding ``named`` or in the one that it is seen to be in.

    Raises UnknownEncoding where that is not certain, or the named one does not fit.
    """
    if named is not None:
        return _as_named(content, named)
    for mark, codec, name in BOMS:
        if content.startswith(mark):
            return _marked(content[len(mark) :], codec, name)
    if codec := _wide(content):
        return _marked(content, codec, "UTF-16 without a byte-order mark")
    try:
        return Text(content.decode("utf-8"), UTF8)
    except UnicodeDecodeError:
        return _older(content)


def _older(content: bytes) -> Text:
    """The text of a file that is not UTF-8, or not all of it."""
    text = content.decode("utf-8", "surrogateescape")
    strange = sum("\udc80" <= letter <= "\udcff" for letter in text)
    known = sum(letter > "\x7f" for letter in text) - strange
    if known >= strange:
        return Text(text, UTF8, broken=True)
    if found := guess(content):
        return Text(content.decode(found), found)
    if strange <= 8 and strange * 200 < len(content):
        return Text(text, UTF8, broken=True)  # a line or two that were damaged
    raise UnknownEncoding(
        f"not UTF-8, and no other encoding is certain{_hint(content)}; save it as UTF-8, "
        "or name the encoding in records.encoding"
    )


def guess(content: bytes) -> str:
    """The older encoding that a text is in beyond doubt; empty where there is doubt."""
    sample = _sample(content)
    runs = Counter(min(len(run), 3) for run in _BEYOND.findall(sample))
    single = runs[1] + runs[2]
    if single >= 0.95 * runs.total() and _is_western(content):
        return "cp1252"
    return _asian(sample)


def _as_named(content: bytes, named: str) -> Text:
    try:
        text = content.decode(charset.codec(named))
    except LookupError:
        raise UnknownEncoding(
            f"records.encoding: {shortened(named)}: unknown encoding; one is for example utf-8, "
            "cp1252 or shift_jis"
        ) from None
    except UnicodeError as error:
        why = shortened(" ".join(str(error).split()))
        raise UnknownEncoding(f"records.encoding: {named}: {why}") from None
    return Text(text.removeprefix("\ufeff"), named)


def _marked(content: bytes, codec: str, name: str) -> Text:
    try:
        return Text(content.decode(codec), name)
    except UnicodeDecodeError as error:
        if codec == "utf-8":
            return Text(content.decode(codec, "surrogateescape"), name, broken=True)
        raise UnknownEncoding(f"not all of it is {name}: byte {error.start}") from None


def _wide(content: bytes) -> str:
    """UTF-16 that has no mark: in text every second byte of ASCII's letters is zero."""
    head = content[: 1 << 16]
    if len(head) % 2 or b"\0" not in head:
        return ""
    even, odd = head[::2].count(0), head[1::2].count(0)
    least = max(2, len(head) // 100)
    for codec, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros >= max(least, 2 * others) and _is_plain(content, codec):
            return codec
    return ""


def _is_plain(content: bytes, codec: str) -> bool:
    """Whether the bytes are characters that exist, and none but line ends and tabs controls."""
    try:
        letters = {*content.decode(codec)} - {*"\t\r\n"}
    except UnicodeDecodeError:
        return False
    return not any(unicodedata.category(letter) in {"Cc", "Cn", "Co"} for letter in letters)


def _sample(content: bytes) -> bytes:
    """The part of a file, from its first byte beyond ASCII, that it is judged by."""
    found = _BEYOND.search(content)
    start = content.rfind(b"\n", 0, found.start()) + 1 if found else 0
    part = content[start : start + SAMPLE]
    return part[: part.rfind(b"\n") + 1] or part if len(part) == SAMPLE else part


def _is_western(content: bytes) -> bool:
    """Whether the text as cp1252 has the letters of one language, and signs in their places."""
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        return False
    letters = {
        c.lower() for c in {*text} if c > "\x7f" and c not in SIGNS and c not in "\xb5\u02c6"
    }
    return any(letters <= {*alphabet} for alphabet in ALPHABETS) and _TORN.search(text) is None


def _asian(sample: bytes) -> str:
    """GB 18030, Big5, Shift-JIS, EUC-JP or EUC-KR by the characters that are common in each."""
    found = [
        codec
        for codec, common in (
            ("gb18030", _common_gb),
            ("big5", _common_big5),
            ("cp932", _common_sjis),
            ("euc_jp", _common_euc_jp),
            ("cp949", _common_korean),
        )
        if _decodes(sample, codec) and common(sample)
    ]
    return found[0] if len(found) == 1 else ""


def _decodes(sample: bytes, codec: str) -> bool:
    try:
        sample.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _pairs(sample: bytes) -> list[tuple[int, int]]:
    """The two-byte characters of a text in an encoding whose first bytes are beyond ASCII."""
    return [(pair[0], pair[1]) for pair in _PAIR.findall(sample)]


def _common_gb(sample: bytes) -> bool:
    """Nearly all ideographs are of GB 2312's first level, and not in its first half alone."""
    pairs = _pairs(sample)
    if 20 * sum(a in {0xA4, 0xA5} and b >= 0xA1 for a, b in pairs) > len(pairs):
        return False  # kana
    hanzi = [p for p in pairs if p[0] >= 0xB0 or p[1] < 0xA1 or p[0] < 0xA1]
    first = [a for a, b in hanzi if 0xB0 <= a <= 0xD7 and b >= 0xA1]
    late = sum(a > 0xC8 for a in first)
    return len(first) >= 8 and len(first) >= 0.85 * len(hanzi) and late >= 0.2 * len(first)


def _common_big5(sample: bytes) -> bool:
    """Nearly all ideographs are of Big5's first level, and many have a second byte of ASCII's."""
    hanzi = [p for p in _pairs(sample) if p[0] >= 0xA4]
    first = [p for p in hanzi if p[0] <= 0xC6]
    low = sum(b < 0x80 for _, b in first)
    return len(first) >= 8 and len(first) >= 0.95 * len(hanzi) and low >= 0.15 * len(first)


def _common_sjis(sample: bytes) -> bool:
    """A fifth of the characters are kana, which Japanese always has."""
    text = sample.decode("cp932")
    return _has_kana(text) and not re.search("[\uff61-\uff9f]{3}", text)


def _common_euc_jp(sample: bytes) -> bool:
    return _has_kana(sample.decode("euc_jp"))


def _has_kana(text: str) -> bool:
    beyond = sum(letter > "\x7f" for letter in text)
    kana = sum("\u3041" <= letter <= "\u30fc" for letter in text)
    known = sum("\u3001" <= letter <= "\u9fff" or "\uff01" <= letter <= "\uff5e" for letter in text)
    return kana >= max(4, 0.2 * beyond) and known >= 0.95 * beyond


def _common_korean(sample: bytes) -> bool:
    """Nearly all of it is Hangul, of the rows that have nothing else, in words of a few."""
    pairs = [p for p in _pairs(sample) if p[0] >= 0xA1]
    hangul = sum(0xB0 <= a <= 0xC8 and b >= 0xA1 for a, b in pairs)
    words = [len(run) for run in re.findall(rb"[\xa1-\xfe]+", sample)]
    short = sum(n <= 20 for n in words)
    return hangul >= max(8, 0.95 * len(pairs)) and short >= 0.9 * len(words)


def _hint(content: bytes) -> str:
    """What another library takes it for; that is too little to read it by, but not to name."""
    from charset_normalizer import from_bytes

    best = from_bytes(_sample(content)[:20000]).best()
    return f" (it may be {best.encoding})" if best is not None else ""
