"""What a store of chunks is, and the place where one is kept; implementations are its siblings."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ragtune.retrieval.filters import Filter
from ragtune.retrieval.passages import Passage
from ragtune.retrieval.section import Mode

EMBEDDED = "embedded"
DENSE, KEYWORD = "dense", "bm25"
"""The two vectors of a point."""
DOCUMENT_ID = "doc_id"
"""The payload field in which llama-index keeps the id of a node's document."""
DELETE_BATCH = 500
"""Documents that are named in one request."""
SCROLL = 1000
"""Points that are fetched together."""


@dataclass(frozen=True)
class Query:
    """What is searched for: ``vector`` in dense search, ``text`` in keyword search, or both."""

    text: str
    vector: Sequence[float] | None
    top_k: int
    mode: Mode = "hybrid"
    filters: Filter | None = None


class Store(Protocol):
    """An open store of chunks, which come as llama-index nodes and are found as passages."""

    def __len__(self) -> int:
        """How many chunks it holds, counted exactly."""

    def add(self, nodes: Sequence[Any]) -> list[str]:
        """Insert or replace nodes that carry their embedding; their ids, which must be UUIDs."""

    def delete_documents(self, names: Sequence[str]) -> None:
        """Delete the chunks of all these documents; names that have none are no error."""

    def vectors(self, names: Sequence[str]) -> dict[str, list[float]]:
        """The dense vector of each text that these documents hold."""

    def nodes(self) -> Iterator[Any]:
        """Every chunk as the llama-index node that was added, with its embedding; in no order."""

    def search(self, query: Query) -> list[Passage]:
        """The best passages that pass the filters, by falling score."""

    def as_llama_index(self) -> Any:
        """The same store as llama-index's ``BasePydanticVectorStore``."""

    def flush(self) -> None:
        """Return when all that was added and deleted is on the disk."""

    def optimize(self) -> None:
        """Make searches fast, where the store does not do so by itself."""

    def close(self) -> None:
        """Let go of it."""


class Place(Protocol):
    """Where a store is, or will be; as text it names the place."""

    def exists(self) -> bool:
        """Whether something is there."""

    def create(self, dimension: int, settings: dict[str, Any]) -> Store:
        """Make an empty store for vectors of ``dimension`` numbers, made with these settings."""

    def open(self, settings: dict[str, Any]) -> Store:
        """Open the store that is there and was made with these settings.

        Raises RunError where there is none, it is broken, or it was made with other settings.
        """

    def drop(self) -> None:
        """Remove what is there, if anything."""


def rebuild(run: Path) -> str:
    """What makes a run's index again, as a command that can be pasted."""
    return f"`ragtune index {run} --rebuild` makes it again"


def passage(name: str, score: float, payload: Mapping[str, Any]) -> Passage:
    """A point as a passage, from the payload that llama-index's ``node_to_metadata_dict`` made."""
    return Passage(
        id=name,
        document=payload["document"],
        locator=payload["locator"],
        text=json.loads(payload["_node_content"])["text"].strip(),
        score=float(score),
    )
