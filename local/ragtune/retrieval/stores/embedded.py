"""Qdrant's embedded engine behind llama-index's vector-store interface.

A point carries a dense vector and a BM25 vector of the same text, so dense, keyword and hybrid
search are one collection's. No server, nothing leaves the process.
"""

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import qdrant_edge as qdrant
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import BaseNode, MetadataMode
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)
from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict

from ragtune.core.errors import RunError
from ragtune.retrieval.fusion import fused, ranked, reach
from ragtune.retrieval.stores.base import rebuild

DENSE, KEYWORD = "dense", "bm25"
DOCUMENT_ID = "doc_id"
"""The payload field in which llama-index keeps the id of a node's document."""
DELETE_BATCH = 500
SCROLL = 1000
"""Points that are fetched together."""
EXACT = 10_000
"""Up to so many chunks every vector is compared; beyond, the graph (HNSW) is followed."""
EF = 192
"""Candidates that a search keeps on its way through the graph."""


def bm25() -> Any:
    """The BM25 encoder of every store: English stems and stop words, 64 words a text."""
    return qdrant.Bm25(qdrant.Bm25Config(language="english", avg_len=64))


class EdgeVectorStore(BasePydanticVectorStore):
    """A shard of Qdrant in a folder; one process owns it at a time."""

    stores_text: bool = True
    flat_metadata: bool = False
    _shard: Any = PrivateAttr()
    _bm25: Any = PrivateAttr()
    _closed: bool = PrivateAttr(default=False)
    _size: int | None = PrivateAttr(default=None)

    def __init__(self, shard: Any) -> None:
        super().__init__(stores_text=True)
        self._shard = shard
        self._bm25 = bm25()

    @classmethod
    def create(cls, folder: Path, dimension: int) -> "EdgeVectorStore":
        """Make an empty store for vectors of ``dimension`` numbers."""
        folder.mkdir(parents=True)
        vectors = {DENSE: qdrant.EdgeVectorParams(dimension, qdrant.Distance.Cosine)}
        sparse = {KEYWORD: qdrant.EdgeSparseVectorParams(modifier=qdrant.Modifier.Idf)}
        config = qdrant.EdgeConfig(vectors=vectors, sparse_vectors=sparse)
        shard = qdrant.EdgeShard.create(str(folder), config)
        for key in (DOCUMENT_ID, "document"):
            keyword = qdrant.KeywordIndexParams()
            shard.update(qdrant.UpdateOperation.create_field_index(key, keyword))
        return cls(shard)

    @classmethod
    def open(cls, folder: Path) -> "EdgeVectorStore":
        """Open an existing store.

        Raises RunError where there is none or another process has it open.
        """
        try:
            return cls(qdrant.EdgeShard.load(str(folder)))
        except Exception as error:  # the engine raises bare Exception
            if "WouldBlock" in str(error):
                raise RunError(f"{folder}: the index is open in another process") from None
            again = rebuild(folder.parent.parent)
            raise RunError(f"{folder}: no usable index: {error}; {again}") from None

    @property
    def client(self) -> Any:
        """The engine's shard."""
        return self._shard

    def close(self) -> None:
        """Write what is pending and let go of the folder; a second call does nothing."""
        if not self._closed:
            self._shard.flush()
            self._shard.close()
            self._closed = True

    def flush(self) -> None:
        """Return when all that was added and deleted is on the disk."""
        self._shard.flush()

    def optimize(self) -> None:
        """Build the graph (HNSW) of segments that have grown, and clean out what was deleted."""
        self._shard.optimize()

    def __len__(self) -> int:
        if self._size is None:
            self._size = int(self._shard.count(qdrant.CountRequest(exact=True)))
        return self._size

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Insert or replace nodes that carry their embedding; ids must be UUIDs."""
        points = []
        for node in nodes:
            text = node.get_content(metadata_mode=MetadataMode.EMBED)
            vector = {DENSE: node.get_embedding(), KEYWORD: self._bm25.embed_document(text)}
            payload = node_to_metadata_dict(node, remove_text=False, flat_metadata=False)
            points.append(qdrant.Point(uuid.UUID(node.node_id), vector, payload))
        if points:
            self._size = None
            self._shard.update(qdrant.UpdateOperation.upsert_points(points))
        return [node.node_id for node in nodes]

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Delete the nodes of a document."""
        self.delete_documents([ref_doc_id])

    def delete_documents(self, names: Sequence[str]) -> None:
        """Delete the nodes of all these documents; names that have none are no error."""
        for start in range(0, len(names), DELETE_BATCH):
            only = _of_documents(names[start : start + DELETE_BATCH])
            self._size = None
            self._shard.update(qdrant.UpdateOperation.delete_points_by_filter(only))

    def vectors(self, names: Sequence[str]) -> dict[str, list[float]]:
        """The dense vector of each text that these documents hold."""
        found: dict[str, list[float]] = {}
        for start in range(0, len(names), DELETE_BATCH):
            only, offset = _of_documents(names[start : start + DELETE_BATCH]), None
            while True:
                points, offset = self._shard.scroll(
                    qdrant.ScrollRequest(offset, SCROLL, only, with_payload=True, with_vector=True)
                )
                for point in points:
                    node = metadata_dict_to_node(point.payload)
                    found[node.get_content(metadata_mode=MetadataMode.EMBED)] = point.vector[DENSE]
                if offset is None:
                    break
        return found

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """Search by vector, by words, or by both; scores fall from hit to hit."""
        asked = reach(query.similarity_top_k)
        rankings = [
            ranked([(str(p.id), p.score) for p in self._shard.query(request)], asked)
            for request in self._requests(query, asked)
        ]
        hits = fused(*rankings) if len(rankings) > 1 else rankings[0]
        best = dict(hits[: query.similarity_top_k])
        ids: Any = [uuid.UUID(name) for name in best]
        found = self._shard.retrieve(ids, with_payload=True, with_vector=False)
        nodes = {str(point.id): metadata_dict_to_node(point.payload) for point in found}
        return VectorStoreQueryResult(
            nodes=[nodes[name] for name in best], similarities=list(best.values()), ids=list(best)
        )

    def _requests(self, query: VectorStoreQuery, asked: int) -> list[Any]:
        """Each ranking that the mode needs; dense comes before keyword."""
        condition = _filter(query.filters) if query.filters else None
        parts = []
        if query.mode in (VectorStoreQueryMode.DEFAULT, VectorStoreQueryMode.HYBRID):
            if query.query_embedding is None:
                raise ValueError("dense and hybrid search need query_embedding")
            parts.append(qdrant.Query.Nearest(query.query_embedding, using=DENSE))
        if query.mode in (VectorStoreQueryMode.SPARSE, VectorStoreQueryMode.HYBRID):
            words = self._bm25.embed_query(query.query_str or "")
            parts.append(qdrant.Query.Nearest(words, using=KEYWORD))
        if not parts:
            raise ValueError(f"search mode {query.mode} is not one of default, sparse, hybrid")
        how = qdrant.SearchParams(exact=len(self) <= EXACT, hnsw_ef=EF)
        return [qdrant.QueryRequest(asked, query=p, filter=condition, params=how) for p in parts]


def _of_documents(names: Sequence[str]) -> Any:
    any_of = qdrant.MatchAny(list(names))
    return qdrant.Filter(must=[qdrant.FieldCondition(key=DOCUMENT_ID, match=any_of)])


def _filter(filters: MetadataFilters) -> Any:
    """Translate llama-index's metadata filters.

    Raises ValueError for an operator that has no translation.
    """
    parts = [
        _filter(f) if isinstance(f, MetadataFilters) else _condition(f) for f in filters.filters
    ]
    if filters.condition == FilterCondition.OR:
        return qdrant.Filter(should=parts)
    if filters.condition == FilterCondition.NOT:
        return qdrant.Filter(must_not=parts)
    return qdrant.Filter(must=parts)


def _condition(one: MetadataFilter) -> Any:
    key = one.key
    value: Any = one.value  # the engine checks it
    bounds = {
        FilterOperator.GT: "gt",
        FilterOperator.GTE: "gte",
        FilterOperator.LT: "lt",
        FilterOperator.LTE: "lte",
    }
    if one.operator in bounds:
        span = qdrant.RangeFloat(**{bounds[one.operator]: value})
        return qdrant.FieldCondition(key=key, range=span)
    if one.operator in (FilterOperator.EQ, FilterOperator.NE):
        equal = qdrant.FieldCondition(key=key, match=qdrant.MatchValue(value))
        return equal if one.operator == FilterOperator.EQ else qdrant.Filter(must_not=[equal])
    if one.operator == FilterOperator.IN:
        return qdrant.FieldCondition(key=key, match=qdrant.MatchAny(value))
    if one.operator == FilterOperator.NIN:
        return qdrant.FieldCondition(key=key, match=qdrant.MatchExcept(value))
    raise ValueError(f"filter operator {one.operator} is not supported by the embedded store")
