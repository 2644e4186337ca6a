"""A passage in pieces: what is around the evidence, the evidence, and the answer in it."""

import re
from typing import Literal, TypedDict

from ragtune.core.text.finding import span

Role = Literal["around", "evidence", "answer"]


class Piece(TypedDict):
    """A piece of the passage, and what it is."""

    text: str
    role: Role


def pieces(context: str, evidence: str, answer: str) -> list[Piece]:
    """The passage in order; evidence that is not in it, or has none around, comes alone.

    The answer is marked where it is in the evidence letter by letter, but for its case.
    """
    place = span(evidence, context) if evidence.strip() else (0, 0)
    if place is None:
        context, place = evidence, (0, len(evidence))
    start, end = place
    found: list[Piece] = [{"text": context[:start], "role": "around"}]
    sentence = context[start:end]
    inside = (
        re.search(re.escape(answer.strip()), sentence, re.IGNORECASE) if answer.strip() else None
    )
    if inside:
        before, after = sentence[: inside.start()], sentence[inside.end() :]
        found += [
            {"text": before, "role": "evidence"},
            {"text": inside.group(), "role": "answer"},
            {"text": after, "role": "evidence"},
        ]
    else:
        found.append({"text": sentence, "role": "evidence"})
    found.append({"text": context[end:], "role": "around"})
    return [piece for piece in found if piece["text"]]
