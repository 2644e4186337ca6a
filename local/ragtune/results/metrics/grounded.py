"""Which share of an answer its passages hold."""

from collections.abc import Sequence

from ragtune.core.text import words


def grounded(answer: str, passages: Sequence[str]) -> float | None:
    """The share of an answer's words, by the one normaliser, that are in the passages.

    None for an answer without a word.
    """
    told = words(answer)
    known = {word for passage in passages for word in words(passage)}
    return sum(word in known for word in told) / len(told) if told else None
