"""A passage in its document, with the words marked that sentences of an answer have from it."""

from collections.abc import Callable, Sequence
from typing import Any

from ragtune.arms.attribution import marks
from ragtune.core.text.finding import span
from ragtune.retrieval.passages import Passage

AROUND = 600
"""Characters of the document that are shown before and after a passage."""


def place(
    passage: Passage, sentences: Sequence[str], read: Callable[[str], str | None]
) -> dict[str, Any]:
    """The passage, what is before and after it, and where it is.

    ``marks`` are places in its text, in characters: start, end, and the number of the sentence.
    ``at`` is the share of the document before it, of 1; None where the document as it is now,
    which ``read`` gives by its name, does not hold it: it has changed, or is gone.
    """
    whole = read(passage.document)
    found = span(passage.text, whole) if whole else None
    before, after, at = "", "", None
    if whole and found:
        start, end = found
        before, after = _end_of(whole[:start]), _beginning_of(whole[end:])
        at = round(start / max(1, len(whole)), 4)
    return {
        "document": passage.document,
        "locator": passage.locator,
        "text": passage.text,
        "before": before,
        "after": after,
        "marks": [
            [start, end, number]
            for number, sentence in enumerate(sentences)
            for start, end in marks(sentence, passage.text)
        ],
        "at": at,
        "characters": len(whole) if whole else None,
        "gone": whole is None,
        "changed": bool(whole) and found is None,
    }


def _end_of(text: str) -> str:
    """The last characters of a text, from the beginning of a word."""
    text = text.strip()
    return text if len(text) <= AROUND else f"… {text[-AROUND:].partition(' ')[2]}"


def _beginning_of(text: str) -> str:
    """The first characters of a text, to the end of a word."""
    text = text.strip()
    return text if len(text) <= AROUND else f"{text[:AROUND].rpartition(' ')[0]} …"
