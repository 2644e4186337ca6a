"""Qdrant's embedded engine: a shard in a folder, in this process.

A point carries a dense vector and a BM25 vector of the same text, so dense, keyword and hybrid
search are one collection's. No server, nothing leaves the process. Its payload is llama-index's,
but a search imports nothing of llama-index, whose import takes longer than a hundred searches.
"""

import contextlib
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import qdrant_edge as qdrant

from ragtune.core.errors import RunError
from ragtune.core.files import allocated, unfilled
from ragtune.core.system import require
from ragtune.retrieval import packages
from ragtune.retrieval.bm25 import Words
from ragtune.retrieval.filters import Condition, Filter
from ragtune.retrieval.fusion import fused, ranked, reach
from ragtune.retrieval.passages import Passage
from ragtune.retrieval.stores.base import (
    DELETE_BATCH,
    DENSE,
    DOCUMENT_ID,
    KEYWORD,
    SCROLL,
    Query,
    passage,
    rebuild,
)

EXACT = 10_000
"""Up to so many chunks every vector is compared; beyond, the graph (HNSW) is followed."""
ROOM = 8_000_000
"""Free bytes without which the engine is not asked for anything: it maps its files into memory,
where a full disk kills the process. A new store took 5.4 MB of a tmpfs and 0.3 MB of an ext4."""
COPIES = 5
"""Bytes on the disk for each byte of a chunk's text and vector, with journal and payload: 512
chunks of 1.8 MB came to 6.7 MB."""
_READ_WHOLE = frozenset(("payload_index", "vectors"))
"""Folders whose files the engine reads from one end to the other when it opens them."""
EF = 192
"""Candidates that a search keeps on its way through the graph."""


@dataclass(frozen=True)
class EmbeddedPlace:
    """A folder of Qdrant's embedded engine."""

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)

    def exists(self) -> bool:
        """Whether something is there."""
        return self.folder.exists()

    def create(self, dimension: int, settings: dict[str, Any]) -> "EmbeddedStore":
        """Make an empty store; the manifest beside it holds the settings."""
        return EmbeddedStore.create(self.folder, dimension, Words.of(settings))

    def open(self, settings: dict[str, Any]) -> "EmbeddedStore":
        """Open the store.

        Raises RunError where it is not usable or another process has it.
        """
        return EmbeddedStore.open(self.folder, Words.of(settings))

    def drop(self) -> None:
        """Remove the folder, if it is there."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _read_whole(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not _READ_WHOLE.isdisjoint(path.relative_to(folder).parts):
            yield path


class EmbeddedStore:
    """A shard of Qdrant in a folder; one process owns it at a time."""

    def __init__(self, shard: Any, folder: Path, words: Words | None = None) -> None:
        self.client, self._folder, self._words = shard, folder, words or Words()
        self._closed = False
        self._changed = False  # since it was last written to the disk
        self._size: int | None = None

    @classmethod
    def create(cls, folder: Path, dimension: int, words: Words | None = None) -> "EmbeddedStore":
        """Make an empty store for vectors of ``dimension`` numbers."""
        folder.mkdir(parents=True)
        require(folder, ROOM, "an index")
        vectors = {DENSE: qdrant.EdgeVectorParams(dimension, qdrant.Distance.Cosine)}
        sparse = {KEYWORD: qdrant.EdgeSparseVectorParams(modifier=qdrant.Modifier.Idf)}
        config = qdrant.EdgeConfig(vectors=vectors, sparse_vectors=sparse)
        shard = qdrant.EdgeShard.create(str(folder), config)
        for key in (DOCUMENT_ID, "document"):
            keyword = qdrant.KeywordIndexParams()
            shard.update(qdrant.UpdateOperation.create_field_index(key, keyword))
        made = cls(shard, folder, words)
        made._changed = True
        return made

    @classmethod
    def open(cls, folder: Path, words: Words | None = None) -> "EmbeddedStore":
        """Open an existing store.

        Raises RunError where there is none or another process has it open.
        """
        require(folder, ROOM + unfilled(folder, _read_whole(folder)), "to open the index")
        with _in_a_line(folder):
            return cls(qdrant.EdgeShard.load(str(folder)), folder, words)

    def as_llama_index(self) -> Any:
        """The same store as llama-index's ``BasePydanticVectorStore``."""
        from ragtune.retrieval.stores.llama_index import LlamaIndexStore

        return LlamaIndexStore(self)

    def close(self) -> None:
        """Write what is pending and let go of the folder; a second call does nothing."""
        if not self._closed:
            if self._changed:  # else it would take a fifth of a second for nothing
                self.flush()
            self.client.close()
            self._closed = True

    def flush(self) -> None:
        """Return when all that was added and deleted is on the disk."""
        self.client.flush()
        self._changed = False

    def _require(self, nodes: Sequence[Any]) -> None:
        """Look for room for these nodes: their texts, in points and in words, and their vectors."""
        texts = sum(len(node.get_content(metadata_mode="embed").encode()) for node in nodes)
        numbers = sum(len(node.get_embedding()) for node in nodes)
        require(self._folder, ROOM + COPIES * (texts + 4 * numbers), "to index these documents")

    def optimize(self) -> None:
        """Build the graph (HNSW) of segments that have grown, and clean out what was deleted."""
        require(self._folder, ROOM + allocated(self._folder), "to put the index in order")
        self._changed = True
        self.client.optimize()

    def __len__(self) -> int:
        if self._size is None:
            self._size = int(self.client.count(qdrant.CountRequest(exact=True)))
        return self._size

    def add(self, nodes: Sequence[Any]) -> list[str]:
        """Insert or replace nodes that carry their embedding; ids must be UUIDs."""
        utils = packages.module("llama_index.core.vector_stores.utils")
        points = []
        for node in nodes:
            text = node.get_content(metadata_mode="embed")
            vector = {DENSE: node.get_embedding(), KEYWORD: self._words.document(text)}
            payload = utils.node_to_metadata_dict(node, remove_text=False, flat_metadata=False)
            points.append(qdrant.Point(uuid.UUID(node.node_id), vector, payload))
        if points:
            self._require(nodes)
            self._size, self._changed = None, True
            self.client.update(qdrant.UpdateOperation.upsert_points(points))
        return [node.node_id for node in nodes]

    def delete_documents(self, names: Sequence[str]) -> None:
        """Delete the chunks of all these documents; names that have none are no error."""
        for start in range(0, len(names), DELETE_BATCH):
            only = _of_documents(names[start : start + DELETE_BATCH])
            self._size, self._changed = None, True
            self.client.update(qdrant.UpdateOperation.delete_points_by_filter(only))

    def vectors(self, names: Sequence[str]) -> dict[str, list[float]]:
        """The dense vector of each text that these documents hold."""
        found: dict[str, list[float]] = {}
        for start in range(0, len(names), DELETE_BATCH):
            for node in self._nodes(_of_documents(names[start : start + DELETE_BATCH])):
                found[node.get_content(metadata_mode="embed")] = node.embedding
        return found

    def nodes(self) -> Iterator[Any]:
        """Every chunk as the llama-index node that was added, with its embedding."""
        return self._nodes(None)

    def _nodes(self, only: Any) -> Iterator[Any]:
        utils = packages.module("llama_index.core.vector_stores.utils")
        offset = None
        while True:
            with _in_a_line(self._folder):
                points, offset = self.client.scroll(
                    qdrant.ScrollRequest(offset, SCROLL, only, with_payload=True, with_vector=True)
                )
            for point in points:
                node: Any = utils.metadata_dict_to_node(point.payload)
                node.embedding = point.vector[DENSE]
                yield node
            if offset is None:
                return

    def search(self, query: Query) -> list[Passage]:
        """The best passages that pass the filters, by falling score."""
        return [passage(*found) for found in self.found(query)]

    def found(self, query: Query) -> list[tuple[str, float, dict[str, Any]]]:
        """The id, score and payload of the best points, by falling score."""
        asked = reach(query.top_k)
        requests = self._requests(query, asked)
        with _in_a_line(self._folder):
            rankings = [
                ranked([(str(p.id), p.score) for p in self.client.query(request)], asked)
                for request in requests
            ]
        hits = fused(*rankings) if len(rankings) > 1 else rankings[0]
        best = dict(hits[: query.top_k])
        ids: Any = [uuid.UUID(name) for name in best]
        with _in_a_line(self._folder):
            points = self.client.retrieve(ids, with_payload=True, with_vector=False)
        payloads = {str(point.id): point.payload for point in points}
        return [(name, score, payloads[name]) for name, score in best.items()]

    def _requests(self, query: Query, asked: int) -> list[Any]:
        """Each ranking that the mode needs; dense comes before keyword."""
        condition = _filter(query.filters) if query.filters else None
        parts = []
        if query.mode in ("dense", "hybrid"):
            if query.vector is None:
                raise ValueError("dense and hybrid search need a vector")
            parts.append(qdrant.Query.Nearest(list(query.vector), using=DENSE))
        if query.mode in ("keyword", "hybrid"):
            words = self._words.query(query.text)
            parts.append(qdrant.Query.Nearest(words, using=KEYWORD))
        how = qdrant.SearchParams(exact=len(self) <= EXACT, hnsw_ef=EF)
        return [qdrant.QueryRequest(asked, query=p, filter=condition, params=how) for p in parts]


@contextlib.contextmanager
def _in_a_line(folder: Path) -> Iterator[None]:
    """Turn what the engine raises, bare exceptions and Rust panics, into a RunError."""
    try:
        yield
    except BaseException as error:
        if type(error) is not Exception and type(error).__name__ != "PanicException":
            raise
        if "WouldBlock" in str(error):
            raise RunError(f"{folder}: the index is open in another process") from None
        again = rebuild(folder.parent.parent)
        reason = " ".join(str(error).split())
        raise RunError(f"{folder}: no usable index: {reason}; {again}") from None


def _of_documents(names: Sequence[str]) -> Any:
    any_of = qdrant.MatchAny(list(names))
    return qdrant.Filter(must=[qdrant.FieldCondition(key=DOCUMENT_ID, match=any_of)])


def _filter(filters: Filter) -> Any:
    parts = [_filter(p) if isinstance(p, Filter) else _condition(p) for p in filters.parts]
    if filters.holds == "any":
        return qdrant.Filter(should=parts)
    if filters.holds == "none":
        return qdrant.Filter(must_not=parts)
    return qdrant.Filter(must=parts)


def _condition(one: Condition) -> Any:
    bounds = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
    value: Any = one.value  # the engine checks it
    if one.operator in bounds:
        span = qdrant.RangeFloat(**{bounds[one.operator]: value})
        return qdrant.FieldCondition(key=one.field, range=span)
    matches: dict[str, Callable[[Any], Any]] = {
        "in": qdrant.MatchAny,
        "not in": qdrant.MatchExcept,
    }
    match = matches.get(one.operator, qdrant.MatchValue)(value)
    equal = qdrant.FieldCondition(key=one.field, match=match)
    return qdrant.Filter(must_not=[equal]) if one.operator == "!=" else equal
