"""Questions → passages, whatever keeps the chunks: embedding, searching, ranking again."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ragtune.core.errors import RunError
from ragtune.core.text.typography import plain
from ragtune.retrieval.filters import Filter
from ragtune.retrieval.passages import Passage
from ragtune.retrieval.rerank import CANDIDATES
from ragtune.retrieval.section import Mode, Searching
from ragtune.retrieval.stores.base import Query

if TYPE_CHECKING:
    from ragtune.retrieval.embedder import Embedder
    from ragtune.retrieval.rerank import Reranker


class Searched(Protocol):
    """What is used of a store; as text it names itself."""

    def search(self, query: Query) -> list[Passage]:
        """The best passages that pass the filters, by falling score."""


class Searcher:
    """A store, and what turns a question into a query of it."""

    def __init__(
        self,
        store: Searched,
        rag: Searching,
        embedder: "Embedder | None",
        reranker: "Reranker | None" = None,
        *,
        place: object = "",
    ) -> None:
        """Without an ``embedder`` only words can be searched for; ``place`` is named in errors."""
        self.store, self.rag, self.embedder, self.reranker = store, rag, embedder, reranker
        self.place = place

    def search(
        self,
        questions: Sequence[str],
        top_k: int | None = None,
        filters: Filter | None = None,
        *,
        mode: Mode | None = None,
    ) -> list[list[Passage]]:
        """The best passages for each question, best first, of those that pass the filters.

        ``top_k`` and ``mode`` are the recipe's unless given.

        Raises RunError where vectors are needed and there is no embedder.
        """
        mode = mode or self.rag.search
        top_k = top_k or self.rag.top_k
        fetched = max(top_k, CANDIDATES) if self.reranker else top_k
        questions = [plain(question) for question in questions]
        found = []
        for question, vector in zip(questions, self._vectors(questions, mode), strict=True):
            passages = self.store.search(Query(question, vector, fetched, mode, filters))
            if self.reranker:
                passages = self.reranker.rank(question, passages, top_k)
            found.append(passages)
        return found

    def _vectors(self, questions: Sequence[str], mode: Mode) -> Sequence[list[float] | None]:
        if mode == "keyword":
            return [None] * len(questions)
        if self.embedder is None:
            raise RunError(f"{self.place}: {mode} search needs the embedder; allowed: keyword")
        return self.embedder.embed_questions(questions)
