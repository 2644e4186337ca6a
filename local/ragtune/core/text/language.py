"""Which language a text is in: by its script where that says it, else by its words and letters."""

import functools
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any


def _words(said: str) -> tuple[str, ...]:
    return tuple(said.split())


SCRIPTS: tuple[tuple[int, str], ...] = (
    (0x0041, "latin"),
    (0x0370, "greek"),
    (0x0400, "cyrillic"),
    (0x0530, "armenian"),
    (0x0590, "hebrew"),
    (0x0600, "arabic"),
    (0x0700, ""),
    (0x0750, "arabic"),
    (0x0780, ""),
    (0x08A0, "arabic"),
    (0x0900, "devanagari"),
    (0x0980, "bengali"),
    (0x0A00, ""),
    (0x0B80, "tamil"),
    (0x0C00, ""),
    (0x0E00, "thai"),
    (0x0E80, "lao"),
    (0x0F00, ""),
    (0x1000, "burmese"),
    (0x10A0, "georgian"),
    (0x1100, "hangul"),
    (0x1200, ""),
    (0x1780, "khmer"),
    (0x1800, ""),
    (0x1E00, "latin"),
    (0x1F00, "greek"),
    (0x2000, ""),
    (0x3041, "kana"),
    (0x3130, "hangul"),
    (0x3190, ""),
    (0x3400, "han"),
    (0xA000, ""),
    (0xAC00, "hangul"),
    (0xD7B0, ""),
    (0xF900, "han"),
    (0xFB00, "latin"),
    (0xFB50, "arabic"),
    (0xFE00, ""),
    (0xFE70, "arabic"),
    (0xFEFF, ""),
    (0xFF66, "kana"),
    (0xFFA0, ""),
    (0x20000, "han"),
    (0x32000, ""),
)
"""Where blocks of Unicode begin that are mostly of one script; only letters are looked up."""
_STARTS = [start for start, _ in SCRIPTS]
OF_A_SCRIPT = {
    "greek": "el",
    "armenian": "hy",
    "hebrew": "he",
    "devanagari": "hi",
    "bengali": "bn",
    "tamil": "ta",
    "thai": "th",
    "lao": "lo",
    "burmese": "my",
    "georgian": "ka",
    "khmer": "km",
    "hangul": "ko",
}
"""Scripts that say the language, or the one of theirs that is read most."""
SHARED = {
    "latin": _words(
        "ca cs da de en es et eu fi fr hr hu id it lt lv nl no pl pt ro sk sl sv tr vi"
    ),
    "cyrillic": _words("bg kk ru sr uk"),
    "arabic": _words("ar fa ur"),
}
"""Scripts of several languages, and those that are looked for."""
NAMES = {
    **{"ar": "Arabic", "az": "Azerbaijani", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan"},
    **{"cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English"},
    **{"es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish"},
    **{"fr": "French", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian"},
    **{"hy": "Armenian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ka": "Georgian"},
    **{"kk": "Kazakh", "km": "Khmer", "ko": "Korean", "lo": "Lao", "lt": "Lithuanian"},
    **{"lv": "Latvian", "my": "Burmese", "ne": "Nepali", "nl": "Dutch", "no": "Norwegian"},
    **{"pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak"},
    **{"sl": "Slovene", "sr": "Serbian", "sv": "Swedish", "ta": "Tamil", "tg": "Tajik"},
    **{"th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese"},
    "zh": "Chinese",
}
"""Languages by their code, ISO 639-1."""
ENGLISH = "en"
KANA = 0.05
"""The share of kana among Han and kana from which a text is Japanese."""
LETTERS = 8
"""A text of fewer letters is in no language."""
READ = 1000
"""Characters from which more tell nothing new."""
PLAIN = frozenset(
    _words("""
the of and to are were been with that this it from what which when where who how does did can must
their there they you your our than into only after before each every between but because while
about she his these those then other would should could
""")
)
"""English words of grammar that few other languages have; a text full of them is English."""
ENOUGH = 0.12
"""The share of such words from which no closer look is needed."""
SURE = 0.35
"""What the probabilities of a language's letters have to come to."""
_WORD = re.compile(r"[^\W\d_]+")


def letters(text: str) -> Counter[str]:
    """How many letters a text has of each script; others count as the script ``""``."""
    if text.isascii():
        return Counter({"latin": sum(map(str.isalpha, text))})
    found: Counter[str] = Counter()
    for letter, count in Counter(text).items():
        if letter.isalpha():
            found[_script(letter)] += count
    return found


@functools.lru_cache(maxsize=8192)
def _script(letter: str) -> str:
    place = bisect_right(_STARTS, ord(letter))
    return SCRIPTS[place - 1][1] if place else ""


def language_of(text: str, among: Collection[str] | None = None) -> str | None:
    """The code of the language that a text is mostly in; None where too little says so.

    With ``among`` one of these languages, where they have the text's script.
    """
    codes = _possible(text[:READ], among)
    return codes[0] if len(codes) == 1 else _by_letters(text[:READ], codes)


def languages_of(texts: Iterable[str], least: float = 0.1) -> list[str]:
    """The languages that at least this share of the texts is in, the most frequent first."""
    possible = [(text[:READ], _possible(text[:READ], None)) for text in texts]
    decided = Counter(codes[0] for _, codes in possible if len(codes) == 1)
    open_ones = [(text, codes) for text, codes in possible if len(codes) > 1]
    if len(open_ones) >= least * (decided.total() + len(open_ones)):
        decided.update(code for pair in open_ones if (code := _by_letters(*pair)))
    enough = least * decided.total()
    return [code for code, count in sorted(decided.items(), key=_by_count) if count >= enough]


def _possible(text: str, among: Collection[str] | None) -> Sequence[str]:
    """The languages that a text's script, and English words of grammar, leave possible."""
    found = letters(text)
    if sum(found.values()) < LETTERS and not found.keys() - {"latin", ""}:
        return ()
    eastern = found["han"] + found["kana"]
    # A letter of these says as much as two or three of others.
    weighed = Counter({name: n for name, n in found.items() if name not in ("han", "kana")})
    weighed["eastern"], weighed["hangul"] = 2 * eastern, 2 * found["hangul"]
    script, most = max(weighed.items(), key=lambda item: item[1])
    if not most:
        return ()
    codes: Sequence[str] = SHARED.get(script, ())
    if script == "eastern":
        codes = ("ja" if found["kana"] >= KANA * eastern else "zh",)
    elif script in OF_A_SCRIPT:
        codes = (OF_A_SCRIPT[script],)
    if among is not None:
        codes = [code for code in codes if code in among]
    return (ENGLISH,) if ENGLISH in codes and _is_plain_english(text) else codes


def _is_plain_english(text: str) -> bool:
    words = [word.lower() for word in _WORD.findall(text)]
    return sum(word in PLAIN for word in words) >= ENOUGH * len(words)


def _by_letters(text: str, codes: Sequence[str]) -> str | None:
    if not codes:
        return None
    label, sure = _identifier(tuple(codes)).classify(text)
    return str(label) if sure >= SURE else None


def codes_of(said: str) -> list[str]:
    """The codes in a text such as ``de, en``; English where it is empty or ``auto``."""
    codes = [code.strip() for code in said.split(",")]
    return [ENGLISH] if codes in ([""], ["auto"]) else codes


def named(codes: Iterable[str]) -> str:
    """Languages by their names, for a sentence."""
    return " and ".join(NAMES.get(code, code) for code in codes)


def _by_count(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


@functools.cache
def _identifier(codes: tuple[str, ...]) -> Any:
    """py3langid's model for some languages; its import takes half a second."""
    import copy

    made = copy.copy(_whole())
    made.set_languages(codes)
    return made


@functools.cache
def _whole() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
