"""What retrieval reads of a recipe's ``rag`` section: the fields of each step, and no others."""

from typing import Literal, Protocol

Mode = Literal["dense", "keyword", "hybrid"]


class Chunking(Protocol):
    """How documents are split."""

    @property
    def chunk_tokens(self) -> int:
        """The embedder's tokens a chunk."""

    @property
    def chunk_overlap(self) -> float:
        """The share of a chunk that the next one repeats."""


class Placing(Protocol):
    """Where the chunks are kept."""

    @property
    def qdrant(self) -> str:
        """``embedded``, or a server's URL."""


class Indexing(Chunking, Placing, Protocol):
    """How an index is made."""

    @property
    def language(self) -> str:
        """The codes of the documents' languages, such as ``de, en``."""


class Searching(Indexing, Protocol):
    """How an index is searched."""

    @property
    def top_k(self) -> int:
        """Passages a question."""

    @property
    def search(self) -> Mode:
        """By vector, by words, or by both."""
