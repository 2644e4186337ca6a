"""Texts without case, punctuation and spacing: whether two are the same, or share their words.

For whole corpora, so it is one pass of one pattern; values are compared as they are written.
"""

import re
import unicodedata
from collections.abc import Iterable

# Thai to Khmer, kana, Han and Hangul are written without spaces: each character is a word.
_UNSPACED = "\u0e00-\u0edf\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_WORD = re.compile(rf"(?<!\w)[-\u2212]?\d+(?:[.,:/]\d+)*|[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_NUMBER = re.compile(r"[-\u2212]?\d")


def words(text: str) -> list[str]:
    """The words and numbers of a text in order, without case and punctuation.

    NFKC, so ligatures and full-width letters are the plain ones; soft hyphens are dropped.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("\u00ad", "")
    return _WORD.findall(text.casefold())


def letters(text: str) -> str:
    """The words of a text without anything between them, to look for a sentence in a document.

    A word that is broken at the end of a line is whole again.
    """
    return "".join(words(text))


def numbers(found: Iterable[str]) -> frozenset[str]:
    """Those of the words that are numbers."""
    return frozenset(word for word in found if _NUMBER.match(word))
