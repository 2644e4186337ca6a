"""Texts without case, punctuation and spacing: whether two are the same, or share their words.

For whole corpora, so it is one pass of one pattern: `core.text.words`, which reads values, takes
tens of times as long.
"""

import re
from collections.abc import Iterable

from ragtune.core.text.characters import UNSPACED, cleaned

_WORD = re.compile(rf"(?<!\w)-?\d+(?:[.,:/]\d+)*|[{UNSPACED}]|[^\W_{UNSPACED}]+")
_COLUMN = re.compile(r"(?:^|(?<= \| ))[^|]*?: ")
_NUMBER = re.compile(r"-?\d")


def words(text: str) -> list[str]:
    """The words and numbers of a text in order, without case and punctuation.

    One character for each meaning (`core.text.characters`), and scripts that are written without
    spaces cut into characters; values are as they are written.
    """
    return _WORD.findall(cleaned(text).casefold())


def letters(text: str) -> str:
    """The words of a text without anything between them, to look for a sentence in a document.

    A word that is broken at the end of a line is whole again.
    """
    return "".join(words(text))


def spellings(text: str) -> str:
    """`letters` of a text in which evidence is looked for, and once more as its file has it.

    Rows of tables say ``column: value | column: value`` here, and the values alone in their files.
    """
    if " | " not in text:
        return letters(text)
    values = "\n".join(_COLUMN.sub("", ln) if " | " in ln else ln for ln in text.splitlines())
    return f"{letters(text)} {letters(values)}"


def numbers(found: Iterable[str]) -> frozenset[str]:
    """Those of the words that are numbers."""
    return frozenset(word for word in found if _NUMBER.match(word))
