"""A retrieved passage, and which of several is the gold one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ragtune.sources.plain import letters, spellings
from ragtune.sources.records import Record


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
    case, punctuation, spaces, ligatures and words broken at line ends do not count.
    """
    wanted = letters(record.evidence)
    for rank, passage in enumerate(passages, 1):
        if passage.document in record.gold and wanted in _spellings(passage.text):
            return rank
    return None


_spellings = lru_cache(maxsize=4096)(spellings)
