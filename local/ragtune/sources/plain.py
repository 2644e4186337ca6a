"""Texts without case, punctuation and spacing: whether two are the same, or share their words.

For whole corpora, so it is one pass of one pattern: `core.text.words`, which reads values, takes
tens of times as long.
"""

import re
from collections.abc import Iterable

from ragtune.core.text.characters import UNSPACED, cleaned

_WORD = re.compile(rf"(?<!\w)-?\d+(?:[.,:/]\d+)*|[{UNSPACED}]|[^\W_{UNSPACED}]+")
_ASCII_WORD = re.compile(r"[a-z][a-z0-9]*|(?<!\w)-?\d+(?:[.,:/]\d+)*|\d[a-z0-9]*", re.ASCII)
"""What `_WORD` finds in lower-case ASCII, in less time: it knows no other letters."""
_COLUMN = re.compile(r"(?:^|(?<= \| ))[^|]*?: ")
START, BEGINNING = 16, 64
"""Letters by which few texts are confused, and characters in which they nearly always are."""
_SIGNS = bytes(n for n in range(128) if not chr(n).isalnum())
_NO_SIGNS = dict.fromkeys(_SIGNS)
_LOWER = bytes(range(256)).lower()


def words(text: str) -> list[str]:
    """The words and numbers of a text in order, without case and punctuation.

    One character for each meaning (`core.text.characters`), and scripts that are written without
    spaces cut into characters; values are as they are written.
    """
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return _WORD.findall(cleaned(text).casefold())


def letters(text: str) -> str:
    """The words of a text without anything between them, to look for a sentence in a document.

    A word that is broken at the end of a line is whole again.
    """
    return "".join(words(text))


def letters_only(text: str) -> str:
    """`letters` without the signs in numbers: equal where `words` are, but not only there.

    A sketch to look for equal texts by among very many, at a tenth of what `words` takes.
    """
    if text.isascii():  # bytes are translated in a third of the time
        return text.encode().translate(_LOWER, _SIGNS).decode()
    return letters(text).translate(_NO_SIGNS)


def start_of(text: str) -> str:
    """The first `START` letters of `letters_only`, of a long text from its beginning alone."""
    found = letters_only(text[:BEGINNING])
    # The last character of the part may be changed by those behind it.
    return (found if len(found) >= 2 * START else letters_only(text))[:START]


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
    return frozenset(word for word in found if word[0] == "-" or word[0].isdecimal())
