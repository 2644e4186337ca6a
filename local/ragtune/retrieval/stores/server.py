"""A Qdrant server behind llama-index's own integration, with the vectors of the embedded store.

BM25 vectors are made here, as the embedded store makes them, and weighed by the server's IDF; no
model is fetched for them. Fusion is the same, so both stores rank alike.
"""

import dataclasses
import functools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from llama_index.core.schema import MetadataMode
from llama_index.core.vector_stores.types import (
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)
from llama_index.core.vector_stores.utils import metadata_dict_to_node
from llama_index.vector_stores.qdrant import QdrantVectorStore
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException, UnexpectedResponse

from ragtune.core.errors import OfflineError, RunError
from ragtune.retrieval.bm25 import Words
from ragtune.retrieval.fusion import Hit, fused, ranked, reach
from ragtune.retrieval.passages import Passage
from ragtune.retrieval.stores.base import (
    DELETE_BATCH,
    DENSE,
    DOCUMENT_ID,
    KEYWORD,
    SCROLL,
    Query,
    rebuild,
)
from ragtune.retrieval.stores.llama_index import MODES, llama_filter

API_KEY = "QDRANT_API_KEY"
"""The environment variable that holds the server's key; a recipe never does."""
REFUSED = (401, 403)
P = ParamSpec("P")
R = TypeVar("R")


def connect(url: str) -> QdrantClient:
    """A client of the server; nothing is sent yet."""
    return QdrantClient(url=url, api_key=os.environ.get(API_KEY), check_compatibility=False)


def in_a_line(method: Callable[P, R]) -> Callable[P, R]:
    """Turn a server's errors into one line: RunError, or OfflineError where we may not connect."""

    @functools.wraps(method)
    def called(*arguments: P.args, **options: P.kwargs) -> R:
        try:
            return method(*arguments, **options)
        except UnexpectedResponse as error:
            if error.status_code in REFUSED:
                raise RunError(
                    f"rag.qdrant: the server refused the key in {API_KEY}; set the right one"
                ) from None
            raise RunError(f"rag.qdrant: the server answered {error.status_code}") from None
        except ApiException as error:
            source: Any = getattr(error, "source", error)
            if "offline: refused" in str(source):
                raise OfflineError(str(source)) from None
            raise RunError(
                f"rag.qdrant: the server cannot be reached: {source}; start it, or name another"
            ) from None

    return called


@dataclass(frozen=True)
class ServerPlace:
    """A collection of a Qdrant server, that of the run folder ``run``.

    Every method raises RunError where the server cannot be reached or refuses the key.
    """

    url: str
    collection: str
    run: Path

    def __str__(self) -> str:
        return f"{self.url}: collection {self.collection}"

    def exists(self) -> bool:
        """Whether the collection is there."""
        return exists(connect(self.url), self.collection)

    def create(self, dimension: int, settings: dict[str, Any]) -> "ServerStore":
        """Make an empty collection that holds the settings, too."""
        client = connect(self.url)
        create(client, self.collection, dimension, settings)
        return ServerStore(client, self.collection, Words.of(settings))

    def open(self, settings: dict[str, Any]) -> "ServerStore":
        """Open the collection.

        Raises RunError also where it is gone, or was made with other settings.
        """
        client = connect(self.url)
        if not exists(client, self.collection):
            raise RunError(f"{self}: it is gone; {rebuild(self.run)}")
        if settings_of(client, self.collection) != settings:
            raise RunError(f"{self}: made with other settings; {rebuild(self.run)}")
        return ServerStore(client, self.collection, Words.of(settings))

    def drop(self) -> None:
        """Delete the collection, if it is there."""
        drop(connect(self.url), self.collection)


class ServerStore(QdrantVectorStore):
    """A collection of a Qdrant server that already exists: llama-index's store, extended."""

    def __init__(self, client: QdrantClient, collection: str, words: Words) -> None:
        def document(texts: Sequence[str]) -> tuple[list[Any], list[Any]]:
            vectors = [words.document(text) for text in texts]
            return [v.indices for v in vectors], [v.values for v in vectors]

        def query(texts: Sequence[str]) -> tuple[list[Any], list[Any]]:
            vectors = [words.query(text) for text in texts]
            return [v.indices for v in vectors], [v.values for v in vectors]

        fusion: Any = weighted_sum
        super().__init__(
            collection_name=collection,
            client=client,
            batch_size=256,
            enable_hybrid=True,
            sparse_doc_fn=document,
            sparse_query_fn=query,
            hybrid_fusion_fn=fusion,
            dense_vector_name=DENSE,
            sparse_vector_name=KEYWORD,
        )

    @in_a_line
    def __len__(self) -> int:
        return int(self._client.count(self.collection_name, exact=True).count)

    @in_a_line
    def add(
        self, nodes: Sequence[Any], shard_identifier: Any = None, **add_kwargs: Any
    ) -> list[str]:
        """Insert or replace nodes that carry their embedding; returns when they can be found."""
        return list(super().add(list(nodes), shard_identifier, **add_kwargs)) if nodes else []

    @in_a_line
    def delete_documents(self, names: Sequence[str]) -> None:
        """Delete the nodes of all these documents; names that have none are no error."""
        for start in range(0, len(names), DELETE_BATCH):
            only = models.FilterSelector(filter=_of_documents(names[start : start + DELETE_BATCH]))
            self._client.delete(self.collection_name, only, wait=True)

    def vectors(self, names: Sequence[str]) -> dict[str, list[float]]:
        """The dense vector of each text that these documents hold."""
        found: dict[str, list[float]] = {}
        for start in range(0, len(names), DELETE_BATCH):
            for node in self._held(_of_documents(names[start : start + DELETE_BATCH])):
                found[node.get_content(metadata_mode=MetadataMode.EMBED)] = node.embedding
        return found

    def nodes(self) -> Iterator[Any]:
        """Every chunk as the llama-index node that was added, with its embedding."""
        return self._held(None)

    def _held(self, only: models.Filter | None) -> Iterator[Any]:
        offset = None
        while True:
            points, offset = self._page(only, offset)
            for point in points:
                node: Any = metadata_dict_to_node(point.payload or {})
                held: Any = point.vector
                node.embedding = held[DENSE]
                yield node
            if offset is None:
                return

    @in_a_line
    def _page(self, only: models.Filter | None, offset: Any) -> tuple[list[Any], Any]:
        return self._client.scroll(
            self.collection_name, only, limit=SCROLL, offset=offset, with_vectors=[DENSE]
        )

    @in_a_line
    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """Search by vector, by words, or by both; scores fall from hit to hit."""
        limit = query.similarity_top_k
        asked = reach(limit)
        deep = dataclasses.replace(
            query, similarity_top_k=asked, sparse_top_k=asked, hybrid_top_k=limit
        )
        found = super().query(deep, **kwargs)
        if query.mode == VectorStoreQueryMode.HYBRID:
            return found
        return _best(found, ranked(_hits(found), asked), limit)

    def search(self, query: Query) -> list[Passage]:
        """The best passages that pass the filters, by falling score."""
        found = self.query(
            VectorStoreQuery(
                query_embedding=None if query.vector is None else list(query.vector),
                query_str=query.text,
                similarity_top_k=query.top_k,
                mode=MODES[query.mode],
                filters=llama_filter(query.filters) if query.filters else None,
            )
        )
        hits = zip(found.nodes or [], found.similarities or [], strict=True)
        return [
            Passage(
                id=node.node_id,
                document=node.metadata["document"],
                locator=node.metadata["locator"],
                text=node.get_content(metadata_mode=MetadataMode.NONE).strip(),
                score=float(score),
            )
            for node, score in hits
        ]

    def as_llama_index(self) -> QdrantVectorStore:
        """The same store as llama-index's ``BasePydanticVectorStore``, which it is."""
        return self

    def flush(self) -> None:
        """Nothing to wait for: every write returns when the server has it."""

    def optimize(self) -> None:
        """Nothing to do: the server optimizes by itself."""

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _of_documents(names: Sequence[str]) -> models.Filter:
    any_of = models.MatchAny(any=list(names))
    return models.Filter(must=[models.FieldCondition(key=DOCUMENT_ID, match=any_of)])


def weighted_sum(
    dense: VectorStoreQueryResult, sparse: VectorStoreQueryResult, alpha: float, top_k: int
) -> VectorStoreQueryResult:
    """The fusion of every store; ``alpha``, llama-index's weight of the dense side, is not used."""
    both = VectorStoreQueryResult(nodes=[*(dense.nodes or []), *(sparse.nodes or [])])
    asked = reach(top_k)
    rankings = [ranked(_hits(side), asked) for side in (dense, sparse)]
    return _best(both, fused(*rankings), top_k)


def _hits(found: VectorStoreQueryResult) -> list[Hit]:
    names = [node.node_id for node in found.nodes or []]
    return list(zip(names, found.similarities or [], strict=True))


def _best(found: VectorStoreQueryResult, hits: Sequence[Hit], top_k: int) -> VectorStoreQueryResult:
    """The first hits, as what was found."""
    nodes = {node.node_id: node for node in found.nodes or []}
    best = dict(hits[:top_k])
    return VectorStoreQueryResult(
        nodes=[nodes[name] for name in best], similarities=list(best.values()), ids=list(best)
    )


@in_a_line
def create(client: QdrantClient, collection: str, dimension: int, settings: dict[str, Any]) -> None:
    """Make an empty collection that holds the settings it was made with."""
    client.create_collection(
        collection,
        vectors_config={
            DENSE: models.VectorParams(size=dimension, distance=models.Distance.COSINE)
        },
        sparse_vectors_config={KEYWORD: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        metadata=settings,
    )
    for key in (DOCUMENT_ID, "document"):
        client.create_payload_index(collection, key, models.PayloadSchemaType.KEYWORD, wait=True)


@in_a_line
def exists(client: QdrantClient, collection: str) -> bool:
    """Whether the server has the collection."""
    return bool(client.collection_exists(collection))


@in_a_line
def drop(client: QdrantClient, collection: str) -> None:
    """Delete the collection, if it is there."""
    client.delete_collection(collection)


@in_a_line
def settings_of(client: QdrantClient, collection: str) -> dict[str, Any]:
    """The settings that a collection was made with, which are stored in it."""
    return dict(client.get_collection(collection).config.metadata or {})
