"""Which of very many texts may refuse: the others need no look at their sentences.

`refusals` looks through a text sentence by sentence; here RE2, through Arrow, looks for the same
wordings in whole texts, hundreds of times as fast. Only texts of plain ASCII are let go.
"""

import re
from collections.abc import Iterable, Sequence

from ragtune.core.text import refusals
from ragtune.core.text.refusal_phrases import ENGLISH, EUROPEAN

FEW = 1000
"""So many texts are not worth the import of Arrow."""
_SPACE = r"[\s\x0b\x1c-\x1f]"
_START, _END = r"\b", rf"{_SPACE}*(?:$|[^\w ])"
"""What is at the ends of a sentence in its text."""
_ANCHORS = re.compile(r"\\.|\[\^|[\^$]")


def may_refuse(texts: Sequence[str], phrases: Iterable[str] = ()) -> list[bool]:
    """For each text whether `refusals.refuses` may be true of it; elsewhere it is not."""
    marks = refusals.marks(tuple(phrases))
    if len(texts) <= FEW or "" in marks:
        return [True] * len(texts)
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = [text if text.isascii() and "_" not in text else None for text in texts]
    found = pc.match_substring_regex(pa.array(plain, pa.large_string()), _pattern(marks))
    answers: list[bool] = found.fill_null(True).to_pylist()
    return answers


def _pattern(marks: Iterable[str]) -> str:
    """The wordings anywhere in a text, or the marks of a phrase, in RE2's words."""
    spelt = "|".join("['`]*".join(map(re.escape, mark)) for mark in marks if mark.isascii())
    worded = f"{ENGLISH.strip()}\n\n{EUROPEAN.strip()}"
    # What a sentence may begin with is anything here, and RE2 cannot end a word at an `_END`.
    worded = worded.replace("^(?:<opening>)?", "").replace("|$)\\b", "|$)")
    anywhere = _ANCHORS.sub(_in_a_text, refusals.patterns(worded)).replace("'", "['`]")
    return f"(?i){anywhere}{'|' if spelt else ''}{spelt}"


def _in_a_text(match: re.Match[str]) -> str:
    """What a part of a pattern of sentences is in one of whole texts."""
    return {"^": _START, "$": _END, r"\s": _SPACE}.get(match[0], match[0])
