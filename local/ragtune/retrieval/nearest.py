"""The documents of an index that are nearest to a question, each found once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ragtune.retrieval.passages import Passage

if TYPE_CHECKING:
    from ragtune.retrieval.retriever import Retriever

SPARE = 3
"""So many times as many chunks are looked for: a long document has several."""


class Nearest:
    """A search by the embedder alone."""

    def __init__(self, retriever: "Retriever", count: int) -> None:
        self.retriever, self.count = retriever, count

    def search(self, questions: Sequence[str]) -> list[list[Passage]]:
        """The best passage of each of the nearest ``count`` documents, nearest first."""
        found = self.retriever.search(questions, SPARE * self.count, mode="dense")
        return [_first_of_each(passages)[: self.count] for passages in found]


def _first_of_each(passages: Sequence[Passage]) -> list[Passage]:
    best: dict[str, Passage] = {}
    for passage in passages:
        best.setdefault(passage.document, passage)
    return list(best.values())
