"""Amazon S3 Vectors as a home: our chunks, our vectors, and the fusion of every store."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ragtune.core.progress import Watcher
from ragtune.recipe.schema import Recipe
from ragtune.retrieval.searcher import Searcher
from ragtune.runs.materials import Materials
from ragtune_cloud.index import prices, terms
from ragtune_cloud.index.base import HomeName, Opened, stem, tags
from ragtune_cloud.index.prices import IndexCost
from ragtune_cloud.index.s3vectors import bucket
from ragtune_cloud.index.s3vectors.bucket import INDEX, MAX_TOP_K, Shape
from ragtune_cloud.index.s3vectors.keys import key_arn, key_finding
from ragtune_cloud.index.s3vectors.store import WORDS, VectorStore
from ragtune_cloud.index.stock import Chunk, Measures, Stock
from ragtune_cloud.ledger import Delete, Ledger
from ragtune_cloud.sagemaker.account import aws_errors
from ragtune_cloud.target import FAILED, OK, Finding, Term

PUT = DELETE = 500
"""Vectors a call, as botocore's model of the service bounds them."""
PAYLOAD = 15 << 20
"""Bytes of vectors a call; a request may have 20 MiB."""
TITLE = "title"
"""Metadata that cannot be filtered by, as `WORDS`."""


class S3Vectors:
    """A vector bucket of the run's own."""

    name: HomeName = "s3-vectors"
    own_chunks = True

    def __init__(self, recipe: Recipe, account: Opened) -> None:
        self.recipe, self._opened = recipe, account
        self.bucket = f"{stem(recipe)}-vectors"

    def terms(self) -> Sequence[Term]:
        """Chunks and vectors are the run's own; words are looked for by S3's own rules."""
        return terms.of_s3_vectors(self.recipe, _language(self.recipe))

    def offline(self, measures: Measures) -> Mapping[str, Finding]:
        """Whether the chunks fit the service's limits."""
        return {
            "limits": vector_limits(measures, self.recipe.rag.top_k),
            "encryption": key_finding(self.recipe),
        }

    def online(self) -> Mapping[str, Finding]:
        """Whether the bucket's name is free, or ours."""
        account = self._opened()
        there = bucket.is_there(self.bucket, account, self.recipe.identity)
        return {"names": Finding(OK, "is there already, ours" if there else "free")}

    def cost(self, measures: Measures) -> IndexCost:
        """Storage, writing, and a query or two a question."""
        queries = 2 if self.recipe.rag.search == "hybrid" else 1
        return prices.s3_vectors(measures, measures.dimension, queries)

    def request(self, measures: Measures) -> dict[str, Any]:
        """The bucket, its index, and how many vectors are put."""
        made = tags(self.recipe)
        key = key_arn(self.recipe, "<account>")
        return {
            "CreateVectorBucket": bucket.bucket_request(self.bucket, made, key),
            "CreateIndex": self._shape(measures.dimension).request(self.bucket, made),
            "PutVectors": {"vectors": measures.chunks},
        }

    def build(self, stock: Stock, ledger: Ledger, watcher: Watcher) -> dict[str, Any]:
        """Put every chunk, and delete what is there besides."""
        account, measures = self._opened(), stock.measures()
        bucket.ensure(
            self.bucket,
            self._shape(measures.dimension),
            account,
            ledger,
            tags=tags(self.recipe),
            key=key_arn(self.recipe, account.id),
            hourly_usd=self.cost(measures).usd_per_hour,
        )
        client, done, calls = account.client("s3vectors"), 0, 0
        where = {"vectorBucketName": self.bucket, "indexName": INDEX}
        kept = set()
        with aws_errors(account.id), watcher.progress("put vectors") as advance:
            for batch in batches(map(_vector, stock.chunks())):
                client.put_vectors(**where, vectors=batch)
                kept |= {vector["key"] for vector in batch}
                done, calls = done + len(batch), calls + 1
                advance(done, measures.chunks)
            stale = [key for key in self._keys(client) if key not in kept]
            for start in range(0, len(stale), DELETE):
                client.delete_vectors(**where, keys=stale[start : start + DELETE])
        return {"vectors": done, "calls": calls, "deleted": len(stale)}

    def searcher(self, materials: Materials) -> Searcher:
        """The index there, asked with the local embedder's vectors."""
        store = VectorStore(self._opened(), self.bucket)
        rag = self.recipe.rag
        return Searcher(store, rag, materials.embedder, materials.reranker, place=store)

    def deleters(self) -> Mapping[str, Delete]:
        """The bucket, with its index."""
        return {bucket.KIND: lambda entry: bucket.delete(entry, self._opened())}

    def _shape(self, dimension: int) -> Shape:
        words = WORDS if self.recipe.rag.search != "dense" else None
        return Shape(dimension, (WORDS, TITLE), words, _language(self.recipe) if words else None)

    def _keys(self, client: Any) -> Iterator[str]:
        pages = client.get_paginator("list_vectors")
        for page in pages.paginate(vectorBucketName=self.bucket, indexName=INDEX):
            yield from (vector["key"] for vector in page["vectors"])


def batches(vectors: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Vectors in as few calls as the service's limits of count and bytes allow."""
    batch: list[dict[str, Any]] = []
    size = 0
    for vector in vectors:
        bytes_ = len(json.dumps(vector))
        if batch and (len(batch) == PUT or size + bytes_ > PAYLOAD):
            yield batch
            batch, size = [], 0
        batch.append(vector)
        size += bytes_
    if batch:
        yield batch


def vector_limits(measures: Measures, top_k: int) -> Finding:
    """Whether chunks with their own vectors fit the limits of S3 Vectors."""
    against = []
    if measures.dimension > bucket.MAX_DIMENSION:
        against.append(
            f"the embedder's vectors have {measures.dimension} numbers; allowed up to "
            f"{bucket.MAX_DIMENSION}"
        )
    if measures.largest_words + measures.largest_filterable > bucket.MAX_METADATA:
        against.append(
            f"a chunk has {measures.largest_words} bytes; with its metadata allowed up to "
            f"{bucket.MAX_METADATA}; lower rag.chunk_tokens"
        )
    if measures.largest_filterable > bucket.MAX_FILTERABLE:
        against.append(
            f"a document's name and place have {measures.largest_filterable} bytes; allowed up to "
            f"{bucket.MAX_FILTERABLE}; shorten the file's name or its headings"
        )
    if measures.null:
        against.append(f"{measures.null} chunks have a vector of zeros, which has no direction")
    if top_k > MAX_TOP_K:
        against.append(f"rag.top_k: {top_k}; allowed up to {MAX_TOP_K}")
    if against:
        return Finding(FAILED, "; ".join(against))
    return Finding(OK, f"{measures.chunks} chunks of {measures.dimension} numbers fit")


def _vector(chunk: Chunk) -> dict[str, Any]:
    shown = {TITLE: chunk.title} if chunk.title else {}
    return {
        "key": chunk.id,
        "data": {"float32": chunk.vector.tolist()},
        "metadata": {**chunk.filterable, **shown, WORDS: chunk.words},
    }


def _language(recipe: Recipe) -> str | None:
    """The one language of the documents, where S3 Vectors has rules for it."""
    codes = recipe.rag.languages
    return codes[0] if len(codes) == 1 and codes[0] in bucket.LANGUAGES else None
