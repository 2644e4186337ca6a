"""Tokens as text, word by word."""

import unicodedata
from collections.abc import Sequence
from typing import Any

BROKEN = "\ufffd"
"""What a tokenizer gives for a character whose bytes have not all come yet."""


class Words:
    """Text that is written token by token, given as soon as no later token can change it.

    That is up to the last blank, since a tokenizer may join what follows to a word, or to the end
    of a line or a character of a script without blanks.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._given = 0

    def after(self, ids: Sequence[int]) -> list[str]:
        """The words that are whole once ``ids`` are written as well."""
        self._ids += ids
        text = self._text()
        if not text or text.endswith(BROKEN):
            return []
        if text.endswith("\n") or unicodedata.east_asian_width(text[-1]) in "WF":
            return self._up_to(text, len(text))
        return self._up_to(text, text.rfind(" ") + 1)

    def rest(self) -> list[str]:
        """What is left when nothing follows."""
        text = self._text()
        return self._up_to(text, len(text))

    def _text(self) -> str:
        return str(self._tokenizer.decode(self._ids, skip_special_tokens=True))

    def _up_to(self, text: str, end: int) -> list[str]:
        if end <= self._given:
            return []
        piece, self._given = text[self._given : end], end
        return [piece]
