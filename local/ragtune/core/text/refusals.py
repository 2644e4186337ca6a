"""Whether a text says that it has no answer.

In English, German, French, Spanish, Chinese and Japanese; no library does this without a model.
`refusal_phrases` has the wordings: who does not say (the documents, I), what they do not (say,
mention, find), and what is not there (an answer, information). A sentence counts only where it
speaks of the answer's absence: "pets are not included" is an answer, "this is not included in the
documents" is none.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

from ragtune.core.text.characters import UNSPACED, cleaned
from ragtune.core.text.refusal_phrases import ENGLISH, EUROPEAN, OTHER_SCRIPTS, PARTS


def patterns(text: str) -> str:
    """The patterns of a text of `refusal_phrases` as one."""
    whole = [part.replace("\n", "") for part in text.strip().split("\n\n")]
    pattern = "|".join(f"(?:{part})" for part in whole)
    for name, part in PARTS.items():
        pattern = pattern.replace(f"<{name}>", part.replace("\n", ""))
    return pattern


@cache
def _spaced() -> re.Pattern[str]:
    """The wordings of languages with spaces; made when first asked for, which takes 0.1 s."""
    return re.compile(patterns(f"{ENGLISH.strip()}\n\n{EUROPEAN.strip()}"), re.I)


_CUT = re.compile(patterns(OTHER_SCRIPTS))
_HAS_UNSPACED = re.compile(f"[{UNSPACED}]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。\uff01\uff1f!?])|\n+")
_BUT = re.compile(
    r"[,;]?\s+\b(?:but|however|though|although|aber|jedoch|mais|pero|sin embargo)\b[\s,]*|"
    r"(?:但是?|不过|しかし|ですが)[,、]?", re.I)  # fmt: skip
_ABOUT_SOURCE = re.compile(patterns(r"\b<source>\b|\bthey\b|文档|文件|资料|資料|文書"), re.I)
_POLITE = re.compile(
    r"\b(?:please|contact|sorry|afraid|unfortunately|apolog|consult|ask|check|let me know|help|"
    r"provide|more (?:information|context|details)|if you)\b", re.I)  # fmt: skip
_DENIAL = re.compile(
    r"\b(?:no|not|none|nothing|nowhere|nobody|non|na)\b|cannot|dunno|who knows|n't|n'|\bun|neither|"
    r"never|silent|lack|fail|missing|absent|insuff|impossible|beyond|outside|"
    r"n/a|omit|leave|hard|difficult|guess|too little|without|kein|nicht|ne |aucun|pas|ignor|sin |"
    r"desconoc",
    re.I,
)
"""What a refusal cannot do without: most sentences are let go here, at a tenth of the cost."""
_WORDS = str.maketrans({chr(n): " " for n in range(128) if not (chr(n).isalnum() or n == 95)})
_WHOLE = ("no", "not", "none", "nothing", "nowhere", "nobody", "non", "na", "ne", "pas", "sin")
_DENYING_WORDS = (
    *(f" {word} " for word in _WHOLE),
    *sorted({f" {start}" for start in re.findall(r"\bun[a-z]{2}", f"{ENGLISH} {EUROPEAN}")}),
)
_STARTS = ("no", "na", "un", "ne", "pas", "sin")
_DENYING = (
    *("cannot", "dunno", "who knows", "n't", "n'", "neither", "never", "silent", "lack", "fail"),
    *("missing", "absent", "insuff", "impossible", "beyond", "outside", "n/a", "omit", "leave"),
    *("hard", "difficult", "guess", "too little", "without", "kein", "nicht", "aucun"),
    *("ignor", "desconoc"),
)
"""`_DENIAL` as words and beginnings of words, what all these begin with, and parts of words.

It is nearer to the wordings than `_DENIAL`, for "past", "one" and "under" are frequent.
"""


def refuses(text: str, phrases: Iterable[str] = ()) -> bool:
    """Whether the text as a whole says that it has no answer.

    It does where its first sentence does and no "but" follows with an answer, or where all that
    comes before a later such sentence is about the documents. ``phrases`` are more wordings, each
    found anywhere in it.
    """
    more = tuple(phrases)
    return not (text.isascii() and not _may_refuse(text, more)) and _refuses(text, more)


@lru_cache(maxsize=8192)
def _refuses(text: str, more: tuple[str, ...]) -> bool:
    parts = sentences(text)
    if not parts:
        return False
    may = [n for n, part in enumerate(parts) if not part.isascii() or _may_refuse(part, more)]
    for number, part in enumerate(parts[: may[-1] + 1] if may else ()):
        if number in may and says_nothing(part, more):
            return number > 0 or not _answered(parts, more)
        if not (_ABOUT_SOURCE.search(part) or _POLITE.search(part) or len(part.split()) < 2):
            break
    return False


def _answered(parts: Sequence[str], phrases: tuple[str, ...]) -> bool:
    """Whether an answer follows a first sentence that refuses."""
    if _answers_after_all(parts[0], phrases):
        return True
    return any(_asserts(part) and not says_nothing(part, phrases) for part in parts[1:])


def _may_refuse(text: str, phrases: tuple[str, ...]) -> bool:
    """Whether `_DENIAL` or a phrase can be in an ASCII text, seen without a regular expression.

    Nearly all of a hundred thousand answers refuse nothing, and patterns take ten times as long.
    """
    lower = text.lower().replace("`", "'")
    if any(map(lower.__contains__, _DENYING)):
        return True
    if any(map(lower.__contains__, _STARTS)):
        spaced = f" {lower.translate(_WORDS)} "
        if any(map(spaced.__contains__, _DENYING_WORDS)):
            return True
    found = marks(phrases)
    return bool(found) and any(map(lower.replace("'", "").__contains__, found))


@lru_cache(maxsize=64)
def marks(phrases: tuple[str, ...]) -> tuple[str, ...]:
    """The longest word of each phrase."""
    found = (_flat(phrase).split() for phrase in phrases if phrase.strip())
    return tuple(max(words, key=len, default="") for words in found)


def _answers_after_all(sentence: str, phrases: tuple[str, ...]) -> bool:
    """Whether an answer follows a "but": I don't know, but I guess 12 knots."""
    _, *after = _BUT.split(sentence, maxsplit=1)
    return bool(after) and not says_nothing(after[0], phrases) and _asserts(after[0])


def sentences(text: str) -> list[str]:
    """The sentences of a cleaned text."""
    return [part.strip() for part in _SENTENCE.split(cleaned(text)) if part.strip()]


def without_refusals(text: str, phrases: Iterable[str] = ()) -> str:
    """The text without the sentences that refuse, and with what follows a "but" in them."""
    more = tuple(phrases)
    kept = []
    for part in sentences(text):
        if says_nothing(part, more):
            _, *after = _BUT.split(part, maxsplit=1)
            kept += after
        else:
            kept.append(part)
    return " ".join(kept)


def says_nothing(sentence: str, phrases: tuple[str, ...] = ()) -> bool:
    """Whether one sentence says that there is no answer."""
    return _says_nothing(sentence, tuple(p for p in phrases if p.strip()))


@lru_cache(maxsize=4096)
def _says_nothing(sentence: str, phrases: tuple[str, ...]) -> bool:
    flat = _flat(sentence)
    if any(f" {_flat(p)} " in f" {flat} " for p in phrases):
        return True
    sentence = sentence.strip(" \t\"'*_([{")
    if _HAS_UNSPACED.search(sentence) and _CUT.search(sentence):
        return True
    return bool(_DENIAL.search(sentence) and _spaced().search(sentence))


@lru_cache(maxsize=4096)
def _flat(text: str) -> str:
    """Letters and digits alone, spaced; characters each for itself in scripts without spaces."""
    text = _HAS_UNSPACED.sub(lambda m: f" {m[0]} ", cleaned(text).casefold().replace("'", ""))
    return " ".join(re.sub(r"[^\w]+", " ", text).split())


def _asserts(sentence: str) -> bool:
    """Whether a sentence after a refusal answers all the same, rather than being polite."""
    return not (_POLITE.search(sentence) or _ABOUT_SOURCE.search(sentence))
