"""Support: which sentences of an answer the passages that the model was shown do support.

Deterministic, and of words alone: it finds figures and names that no passage holds, not a sentence
that turns a passage's words round.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ragtune.core.text import agrees, tokens
from ragtune.core.text.characters import UNSPACED
from ragtune.core.text.content import is_content, stem
from ragtune.core.text.values import Value

ENOUGH = 0.75
"""The share of a sentence's content words from which one passage supports it."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。\uff01\uff1f])|\n+")

_PIECE = re.compile(rf"[{UNSPACED}]|[^\W_]+(?:[-'\u2019.,:/][^\W_]+)*")
"""A word or a number, as a reader sees it."""
_LONGEST = 4
"""Words that a number or a date may take."""

Held = tuple[frozenset[str], tuple[Value, ...]]
"""The stems of a text's content words, and its numbers, dates and times."""


def support(answer: str, passages: Sequence[str]) -> list[dict[str, Any]]:
    """For each sentence that has content words, the passage that holds most of them.

    ``share`` is how many of its content words and values it holds, words by their stems and values
    by what they say; ``source`` its number, from 1, None where no passage holds any. ``supported``
    says that the share is `ENOUGH` and that every value of the sentence is in that passage.
    """
    held = [_content(text) for text in passages]
    rows = []
    for sentence in _SENTENCE_END.split(answer):
        words, values = _content(sentence)
        if not words and not values:
            continue
        best = max(
            ((*_shared(words, values, known), -number) for number, known in enumerate(held, 1)),
            default=(0.0, False, 0),
        )
        share, values_held, place = best
        rows.append(
            {
                "sentence": sentence.strip(),
                "share": round(share, 4),
                "source": -place if share else None,
                "supported": share >= ENOUGH and values_held,
            }
        )
    return rows


def marks(sentence: str, passage: str) -> list[tuple[int, int]]:
    """Where a passage holds words and values of a sentence: start and end, in characters."""
    words, values = _content(sentence)
    pieces = [(match.start(), match.end()) for match in _PIECE.finditer(passage)]
    found = {(start, end) for start, end in pieces if _content(passage[start:end])[0] & words}
    said: list[tuple[int, int]] = []
    for length in range(1, _LONGEST + 1) if values else ():
        for (start, _), (_, end) in zip(pieces, pieces[length - 1 :], strict=False):
            if any(start <= first and last <= end for first, last in said):
                continue  # the shortest place is the value's own
            held = _content(passage[start:end])[1]
            if len(held) == 1 and any(agrees(value, held[0]) for value in values):
                said.append((start, end))
    found.update(said)
    return _joined(sorted(found))


def _joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order, those that overlap as one."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _shared(words: frozenset[str], values: Sequence[Value], passage: Held) -> tuple[float, bool]:
    """The share of words and values that a passage holds, and whether it holds all values."""
    known, said = passage
    held = sum(any(agrees(one, value) for one in said) for value in values)
    share = (len(words & known) + held) / (len(words) + len(values))
    return share, held == len(values)


@lru_cache(maxsize=1024)
def _content(text: str) -> Held:
    found = [token for token in tokens(text) if is_content(token)]
    words = frozenset(stem(token.text) for token in found if token.value is None)
    values = {token.text: token.value for token in found if token.value is not None}
    return words, tuple(values.values())
