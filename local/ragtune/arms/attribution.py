"""Support: which sentences of an answer the passages that the model was shown do support.

Deterministic, and of words alone: it finds figures and names that no passage holds, not a sentence
that turns a passage's words round.
"""

import re
from collections.abc import Sequence
from typing import Any

from ragtune.retrieval.bm25 import bm25

ENOUGH = 0.75
"""The share of a sentence's content words from which one passage supports it."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


def support(answer: str, passages: Sequence[str]) -> list[dict[str, Any]]:
    """For each sentence that has content words, the passage that holds most of them.

    ``share`` is how many of them it holds, as stems without stop words; ``source`` its number,
    from 1, None where no passage holds any. ``supported`` says that the share is `ENOUGH` and
    that every number of the sentence is in that passage.
    """
    encoder = bm25()
    held = [(_words(encoder, text), set(_NUMBER.findall(text))) for text in passages]
    rows = []
    for sentence in _SENTENCE_END.split(answer):
        words, numbers = _words(encoder, sentence), set(_NUMBER.findall(sentence))
        if not words:
            continue
        best = max(
            (
                (len(words & known) / len(words), numbers <= figures, -number)
                for number, (known, figures) in enumerate(held, 1)
            ),
            default=(0.0, False, 0),
        )
        share, numbers_held, place = best
        rows.append(
            {
                "sentence": sentence.strip(),
                "share": round(share, 4),
                "source": -place if share else None,
                "supported": share >= ENOUGH and numbers_held,
            }
        )
    return rows


def _words(encoder: Any, text: str) -> set[int]:
    """The stems of a text's content words, hashed as the keyword index does it."""
    return set(encoder.embed_query(text).indices)
