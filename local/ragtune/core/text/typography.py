"""Typesetting undone: the letters that a text was written with, in the order that they are read.

A weaker form of `core.text.characters`, for texts that are kept, shown and searched: it takes back
what printing did (ligatures, soft hyphens, words broken at the ends of lines, wide letters, curly
quotes) and leaves what has a meaning of its own: ½, x², ①, ™, ㎡, dashes, case, and punctuation.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache

_SAME = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f", '"'),
        **dict.fromkeys("\u00a0\u1680\u202f\u205f\u3000", " "),
        **dict.fromkeys((chr(n) for n in range(0x2000, 0x200B)), " "),
        **dict.fromkeys("\u200b\u2060\ufeff\u200e\u200f", ""),
        **dict.fromkeys("\u2010\u2011", "-"),
        # Letters and digits as wide as Chinese ones; punctuation of that width is Chinese.
        **{chr(n): chr(n - 0xFEE0) for n in range(0xFF10, 0xFF5B) if chr(n - 0xFEE0).isalnum()},
    }
)
_COMPATIBLE = re.compile(
    # Latin and Armenian ligatures, forms of Hebrew and Arabic, radicals, doubled ideographs, and
    # half-width kana: other shapes of the same letters.
    "[\ufb00-\ufb1c\ufb1d-\ufdf9\ufe70-\ufefc\u2e80-\u2fd5\uf900-\ufad9\uff66-\uffdc"
    "\U0002f800-\U0002fa1d]+"
)
_SOFT = re.compile("\u00ad(?:[ \t]*\\r?\\n[ \t]*)?")
_BROKEN = re.compile(r"(?<![-\w])([^\W\d_]+(?:-[^\W\d_]+)*)-[ \t]*\r?\n[ \t]*([^\W\d_]+)")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_SHORT = frozenset(
    ("one", "two", "six", "ten", "low", "mid", "top", "off", "non", "all", "old", "new", "red")
)
"""Words of three letters that often begin a compound: two-year, low-cost."""


def plain(text: str) -> str:
    """The text without what typesetting did to its letters; words at line ends are joined."""
    if not text.isascii():
        text = _SOFT.sub("", text).translate(_SAME)
        text = _COMPATIBLE.sub(lambda m: unicodedata.normalize("NFKC", m[0]), text)
        text = unicodedata.normalize("NFC", text)
    return joined(text) if "-\n" in text or "- \n" in text or "-\r\n" in text else text


def joined(text: str, known: Callable[[str], bool] | None = None) -> str:
    """The text with the words that hyphens break at line ends whole again.

    A hyphen that belongs to the word stays: where the text has the same word with it elsewhere,
    where the word has another hyphen, or where both halves are words and the whole is none
    (forward-looking). ``known`` says what is a word besides the text's own; None: the vocabulary
    of the built-in embedder, which is English.
    """
    own = {word.casefold() for word in _WORD.findall(_BROKEN.sub(" ", text))}
    known = known or _known

    def word(match: re.Match[str]) -> str:
        before, after = match[1], match[2]
        left, right = before.casefold(), after.casefold()
        if not after.islower() and not (before.isupper() and after.isupper()):
            # A capital begins a word of its own; scripts without case have no such hyphens.
            return f"{before}-{after}" if after[0].isupper() else match[0]
        if left + right in own:
            return before + after
        if "-" in left or f"{left}-{right}" in own:
            return f"{before}-{after}"
        if known(left + right):
            return before + after
        compound = (len(left) > 3 or left in _SHORT) and len(right) > 2
        whole = compound and all(half in own or known(half) for half in (left, right))
        return f"{before}-{after}" if whole else before + after

    return _BROKEN.sub(word, text)


def _known(word: str) -> bool:
    return word in _vocabulary()


@cache
def _vocabulary() -> frozenset[str]:
    """The words of the built-in embedder's vocabulary, about 22,000 common English ones."""
    from ragtune.core.bundled import builtin_embedder

    lines = (builtin_embedder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if len(line) > 2 and line.isalpha())
