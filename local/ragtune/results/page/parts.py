"""The questions of a long study, packed: each part is unpacked by the page's script when wanted.

A part is HTML that the template has escaped, compressed (zlib, which browsers unpack as "deflate")
and in base64, in a script element of a type that no browser runs. What the filter looks for is
beside it as plain text, so that filtering unpacks nothing that is not shown.
"""

import base64
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ragtune.results.page.questions import ShownQuestion

FIRST = 100
"""Questions that are in the page as they are, and read without a script."""
PART = 100
"""Questions in a part."""
MOST = 40_000_000
"""Characters of answers and passages up to which texts are whole."""
CUTS = (1000, 300)
"""Characters that texts are cut to beyond; the first with which all questions are under `MOST`."""
QUESTIONS = 20_000
"""More are not shown: the page would take minutes to be searched."""
LEVEL = 6
"""Of compression: 9 takes twice as long for 2 % less."""


@dataclass(frozen=True)
class Part:
    """Questions in a row; ``marks`` are theirs (`ShownQuestion.marks`), with bars between."""

    packed: str
    marks: str


def cut(questions: Sequence[ShownQuestion]) -> tuple[list[ShownQuestion], int | None]:
    """The questions that are shown, and the length that their texts had to be cut to, if any."""
    shown = list(questions[:QUESTIONS])
    if sum(question.length for question in shown) <= MOST:
        return shown, None
    for length in CUTS:
        few = [question.shortened(length) for question in shown]
        if sum(question.length for question in few) <= MOST:
            break
    return few, length


def pack(
    questions: Sequence[ShownQuestion], render: Callable[[Sequence[ShownQuestion]], str]
) -> list[Part]:
    """The questions in parts; ``render`` writes some of them as HTML."""
    found = []
    for start in range(0, len(questions), PART):
        few = questions[start : start + PART]
        packed = zlib.compress(render(few).encode(), LEVEL)
        marks = "|".join(question.marks for question in few)
        found.append(Part(base64.b64encode(packed).decode(), marks))
    return found
