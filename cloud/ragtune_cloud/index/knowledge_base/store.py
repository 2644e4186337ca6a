"""A Knowledge Base, searched as the local stores are."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from ragtune.retrieval.passages import Passage
from ragtune.retrieval.searcher import Searcher
from ragtune.retrieval.section import Mode
from ragtune.retrieval.stores.base import Query
from ragtune_cloud.index import filters
from ragtune_cloud.index.base import asking
from ragtune_cloud.sagemaker.account import Account

MAX_RESULTS, QUESTION = 100, 20_000
"""Passages and letters of one question, as botocore's model of the service bounds them."""


class Asked(Searcher):
    """What turns a question into a query of a Knowledge Base, which embeds it by itself."""

    def _vectors(self, questions: Sequence[str], mode: Mode) -> Sequence[list[float] | None]:
        return [None] * len(questions)


class BaseStore:
    """A Knowledge Base, searched as the local stores are."""

    def __init__(self, account: Account, base: str) -> None:
        self._account, self.base = account, base
        self._client = account.client("bedrock-agent-runtime")

    def __str__(self) -> str:
        return f"Knowledge Base {self.base}"

    def search(self, query: Query) -> list[Passage]:
        """The best passages that pass the filters, by falling score.

        Raises Refused for a question that the service does not take, CloudError where it fails.
        """
        how: dict[str, Any] = {
            "numberOfResults": min(query.top_k, MAX_RESULTS),
            "overrideSearchType": "SEMANTIC",
        }
        if query.filters:
            how["filter"] = filters.for_knowledge_base(query.filters)
        with asking(self._account):
            found = self._client.retrieve(
                knowledgeBaseId=self.base,
                retrievalQuery={"text": query.text[:QUESTION]},
                retrievalConfiguration={"vectorSearchConfiguration": how},
            )
        return [_passage(result) for result in found["retrievalResults"]]


def _passage(result: Mapping[str, Any]) -> Passage:
    held = result.get("metadata", {})
    uri = result.get("location", {}).get("s3Location", {}).get("uri", "")
    text = str(result["content"].get("text", "")).strip()
    named = held.get("chunk") or held.get("x-amz-bedrock-kb-chunk-id")
    return Passage(
        id=str(named or uuid.uuid5(uuid.NAMESPACE_URL, f"{uri}\0{text}")),
        document=str(held.get("document") or uri),
        locator=str(held.get("locator") or ""),
        text=text,
        score=float(result.get("score") or 0.0),
    )
