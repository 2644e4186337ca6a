"""Porter's stemmer, as rouge-score stems: the algorithm of 1980 with NLTK's changes to it.

M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980. NLTK's changes are to short
words (``dies``, ``died``), to ``y`` after a vowel (``enjoy``), to ``-alli``, ``-bli``, ``-fulli``
and ``-logi``, and a dozen irregular words. Other libraries have the algorithm without them, and
then ``Ines`` and ``in`` are one word.
"""

import functools
from collections.abc import Sequence

IRREGULAR = {
    "skies": "sky",
    "sky": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "news": "news",
    "innings": "inning",
    "inning": "inning",
    "outings": "outing",
    "outing": "outing",
    "cannings": "canning",
    "canning": "canning",
    "howe": "howe",
    "proceed": "proceed",
    "exceed": "exceed",
    "succeed": "succeed",
}
Rules = Sequence[tuple[str, str]]
DERIVED: Rules = [
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"),
    ("bli", "ble"), ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"),
    ("ization", "ize"), ("ation", "ate"), ("ator", "ate"), ("alism", "al"), ("iveness", "ive"),
    ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"),
    ("fulli", "ful"), ("logi", "log"),
]  # fmt: skip
"""Step 2, by which a double suffix becomes a single one; the first that fits is tried alone."""
SHORTENED: Rules = [
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""),
    ("ness", ""),
]  # fmt: skip
"""Step 3."""
DROPPED: Rules = [
    (suffix, "")
    for suffix in (
        "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion",
        "ou", "ism", "ate", "iti", "ous", "ive", "ize",
    )
]  # fmt: skip
"""Step 4."""


@functools.lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The stem of a word of lower-case ASCII letters and figures."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) <= 2:
        return word
    for step in (_plural, _past, _final_y, _derived, _shortened, _dropped, _tidied):
        word = step(word)
    return word


def _plural(word: str) -> str:
    if word.endswith("ies"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _past(word: str) -> str:
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) else word
    suffix = next((s for s in ("ed", "ing") if word.endswith(s)), None)
    if suffix is None or "v" not in _shape(word[: -len(suffix)]):
        return word
    left = word[: -len(suffix)]
    if left.endswith(("at", "bl", "iz")):
        return left + "e"
    if len(left) > 1 and left[-1] == left[-2] and _shape(left).endswith("c"):
        return left if left[-1] in "lsz" else left[:-1]
    return left + "e" if _measure(left) == 1 and _ends_cvc(left) else left


def _final_y(word: str) -> str:
    ends = word.endswith("y") and len(word) > 2 and _shape(word[:-1]).endswith("c")
    return word[:-1] + "i" if ends else word


def _derived(word: str) -> str:
    if word.endswith("alli") and _measure(word[:-4]):
        return _derived(word[:-2])
    if word.endswith("logi"):  # the l counts as the stem's, so that "geo" is long enough
        return word[:-1] if _measure(word[:-3]) else word
    return _replaced(word, DERIVED, longer_than=0)


def _shortened(word: str) -> str:
    return _replaced(word, SHORTENED, longer_than=0)


def _dropped(word: str) -> str:
    if word.endswith("ion") and not word.endswith(("sion", "tion")):
        return word
    return _replaced(word, DROPPED, longer_than=1)


def _tidied(word: str) -> str:
    if word.endswith("e"):
        size = _measure(word[:-1])
        if size > 1 or (size == 1 and not _ends_cvc(word[:-1])):
            word = word[:-1]
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word


def _replaced(word: str, rules: Rules, *, longer_than: int) -> str:
    """The word by the first rule whose suffix it has, if what is left measures enough."""
    for suffix, new in rules:
        if word.endswith(suffix):
            left = word[: -len(suffix)]
            return left + new if _measure(left) > longer_than else word
    return word


def _shape(word: str) -> str:
    """A letter for each: c for a consonant, v for a vowel; y is a vowel after a consonant."""
    shape = ""
    for letter in word:
        vowel = letter in "aeiou" or (letter == "y" and shape.endswith("c"))
        shape += "v" if vowel else "c"
    return shape


def _measure(word: str) -> int:
    """Porter's m: how often a vowel is followed by a consonant."""
    return _shape(word).count("vc")


def _ends_cvc(word: str) -> bool:
    """Porter's ``*o``: a short last syllable, as in ``hop``; all of a word like ``in``."""
    shape = _shape(word)
    return (shape.endswith("cvc") and word[-1] not in "wxy") or shape == "vc"
