"""A retrieved passage, and which of several is the gold one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ragtune.core.text.characters import cleaned
from ragtune.sources.records import Record

_HYPHEN = re.compile(r"(?<=[^\W\d_])-\s*(?=[^\W\d_])")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Passage:
    """A retrieved chunk.

    ``score`` is cosine, BM25, or the weighted sum of both that ``fusion`` describes, by the search
    mode.
    """

    id: str
    document: str
    locator: str
    text: str
    score: float


def gold_rank(record: Record, passages: Sequence[Passage]) -> int | None:
    """The rank, from 1, of the first gold passage; None where none was found.

    Gold is a passage of any gold document that, where the evidence sentence is known, holds it:
    case, spaces, hyphens, ligatures and the kinds of quotes do not count.
    """
    wanted = _squeeze(record.evidence)
    for rank, passage in enumerate(passages, 1):
        if passage.document in record.gold and wanted in _squeeze(passage.text):
            return rank
    return None


@lru_cache(maxsize=4096)
def _squeeze(text: str) -> str:
    """Without spaces, and without hyphens in words: they may be those of a line's end."""
    return _SPACE.sub("", _HYPHEN.sub("", cleaned(text).casefold()))
