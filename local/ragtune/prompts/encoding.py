"""Text → token ids, so that no user's text becomes a control token.

A text is made of pieces. The format's own words may hold control tokens, such as the marks of a
chat's turns; in what users and documents say, the same letters stay letters.
"""

import re
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ragtune.prompts.base import Tokenizer


@dataclass(frozen=True)
class Piece:
    """A part of a text; ``own``: the format's words, in which control tokens count as such."""

    text: str
    own: bool = False


def filled(form: str, **values: str) -> list[Piece]:
    """The pieces of a format string: its own words, and the values of its fields."""
    found = []
    for words, name, spec, conversion in string.Formatter().parse(form):
        found.append(Piece(words, own=True))
        if name is not None:
            field = name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            found.append(Piece(("{" + field + "}").format(**values)))
    return [piece for piece in found if piece.text]


def text_of(pieces: Iterable[Piece]) -> str:
    """The text that pieces make."""
    return "".join(piece.text for piece in pieces)


class Encoder:
    """A tokenizer that makes control tokens of a format's own words alone.

    Control tokens are those that the tokenizer calls special, and others that were added to its
    vocabulary and are in ``words``, all that the format itself ever writes. Other added tokens
    are text by the tokenizer's own account (runs of spaces, tags) and are encoded as such.
    """

    def __init__(self, tokenizer: Tokenizer, words: str) -> None:
        self.tokenizer = tokenizer
        added: dict[int, Any] = getattr(tokenizer, "added_tokens_decoder", {})
        unknown = getattr(tokenizer, "unk_token_id", None)
        self._control = {
            token.content: (number, token)
            for number, token in added.items()
            if token.content.strip() and (token.special or token.content in words)
        }
        longest_first = sorted(self._control, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._ids = {number for number, _ in self._control.values()} - {unknown}

    def __call__(self, pieces: Sequence[Piece]) -> list[int]:
        """Token ids, without any that the tokenizer would add.

        The text is encoded whole. Only where a user's text would make a control token is it cut at
        the format's own ones, and the parts are encoded as letters.
        """
        text = text_of(pieces)
        own = [match for span in _spans(pieces) for match in self._pattern.finditer(text, *span)]
        places = [match.span() for match in own]
        if [match.span() for match in self._pattern.finditer(text)] == places:
            ids = self._encoded(text)
            wanted = [self._control[match.group()][0] for match in own]
            if [i for i in ids if i in self._ids] == [i for i in wanted if i in self._ids]:
                return ids
        return self._in_parts(text, own)

    def ending(self, text: str) -> tuple[str, int] | None:
        """A text of the format's own up to its first control token, and that token's id."""
        match = self._pattern.search(text)
        return match and (text[: match.end()], self._control[match.group()][0])

    def _in_parts(self, text: str, own: Sequence[re.Match[str]]) -> list[int]:
        ids: list[int] = []
        start, strips = 0, False
        for match in own:
            number, token = self._control[match.group()]
            part = text[start : match.start()]
            part = part.lstrip() if strips else part
            ids += [*self._letters(part.rstrip() if token.lstrip else part), number]
            start, strips = match.end(), token.rstrip
        rest = text[start:]
        return ids + self._letters(rest.lstrip() if strips else rest)

    def _letters(self, text: str) -> list[int]:
        """Token ids of a text that has no control token, whatever it spells."""
        ids = self._encoded(text, split_special_tokens=True)
        if self._ids.isdisjoint(ids):
            return ids
        # Tokenizers split what they call special, not what was only added: take that apart.
        cuts = [0, *(match.start() + 1 for match in self._pattern.finditer(text)), len(text)]
        parts = [text[start:end] for start, end in pairwise(cuts)]
        return [i for part in parts for i in self._encoded(part, split_special_tokens=True)]

    def _encoded(self, text: str, **options: bool) -> list[int]:
        if not text:
            return []
        return list(self.tokenizer(text, add_special_tokens=False, **options)["input_ids"])


def _spans(pieces: Iterable[Piece]) -> list[tuple[int, int]]:
    """Where the format's own words are in the whole text; neighbours are one."""
    spans: list[tuple[int, int]] = []
    place = 0
    for piece in pieces:
        start, place = place, place + len(piece.text)
        if piece.own and spans and spans[-1][1] == start:
            start = spans.pop()[0]
        if piece.own:
            spans.append((start, place))
    return spans
