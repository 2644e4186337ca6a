"""An index of S3 Vectors, searched as the local stores are."""

from collections.abc import Mapping, Sequence
from typing import Any

from ragtune.retrieval.fusion import Hit, fused, ranked, reach
from ragtune.retrieval.passages import Passage
from ragtune.retrieval.stores.base import Query
from ragtune_cloud.index import filters
from ragtune_cloud.index.base import asking
from ragtune_cloud.index.s3vectors.bucket import INDEX, MAX_TOP_K
from ragtune_cloud.sagemaker.account import Account

GET = 100
"""Vectors that are looked up in a call, as botocore's model of the service bounds them."""
WORDS = "words"
"""The metadata that words are looked for in: the text with its title."""
QUESTION = 1024
"""Letters of a question that full-text search takes."""


class VectorStore:
    """An index of S3 Vectors, searched as the local stores are."""

    def __init__(self, account: Account, bucket: str) -> None:
        self._account, self._client = account, account.client("s3vectors")
        self._where = {"vectorBucketName": bucket, "indexName": INDEX}

    def __str__(self) -> str:
        return f"vector bucket {self._where['vectorBucketName']}"

    def search(self, query: Query) -> list[Passage]:
        """The best passages that pass the filters, by falling score.

        Raises Refused for a question that the service does not take, CloudError where it fails.
        """
        asked = min(reach(query.top_k), MAX_TOP_K)
        limits: dict[str, Any] = {"topK": asked}
        if query.filters:
            limits["filter"] = filters.for_s3_vectors(query.filters)
        rankings = []
        with asking(self._account):
            if query.mode in ("dense", "hybrid"):
                rankings.append(ranked(self._nearest(query, limits), asked))
            if query.mode in ("keyword", "hybrid"):
                rankings.append(ranked(self._with_words(query, limits), asked))
            hits = fused(*rankings) if len(rankings) > 1 else rankings[0]
            return self._passages(hits[: query.top_k])

    def _nearest(self, query: Query, limits: Mapping[str, Any]) -> list[Hit]:
        found = self._client.query_vectors(
            **self._where,
            **limits,
            queryVector={"float32": list(query.vector or ())},
            returnDistance=True,
        )
        return [(hit["key"], 1 - hit["distance"]) for hit in found["vectors"]]

    def _with_words(self, query: Query, limits: Mapping[str, Any]) -> list[Hit]:
        text = query.text.strip()[:QUESTION]
        if not text:
            return []
        found = self._client.query_vectors(
            **self._where,
            **limits,
            queryTexts=[{"text": text, "metadataKey": WORDS}],
            returnScores=True,
        )
        return [
            (hit["key"], sum(bm25["score"] for bm25 in hit["scores"]["bm25Scores"]))
            for hit in found["vectors"]
        ]

    def _passages(self, hits: Sequence[Hit]) -> list[Passage]:
        held: dict[str, Any] = {}
        names = [name for name, _ in hits]
        for start in range(0, len(names), GET):
            found = self._client.get_vectors(
                **self._where, keys=names[start : start + GET], returnMetadata=True
            )
            held |= {vector["key"]: vector["metadata"] for vector in found["vectors"]}
        return [
            Passage(
                id=name,
                document=held[name]["document"],
                locator=held[name].get("locator", ""),
                text=held[name][WORDS][int(held[name]["text_at"]) :],
                score=float(score),
            )
            for name, score in hits
            if name in held  # deleted between the two calls
        ]
