"""llama-index's vector-store interface over the embedded store, and its filters as ours."""

from collections.abc import Sequence
from typing import Any, Protocol, cast

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import BaseNode
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
from llama_index.core.vector_stores.utils import metadata_dict_to_node

from ragtune.retrieval.filters import Condition, Filter, Operator
from ragtune.retrieval.section import Mode
from ragtune.retrieval.stores.base import Query

MODES: dict[Mode, VectorStoreQueryMode] = {
    "dense": VectorStoreQueryMode.DEFAULT,
    "keyword": VectorStoreQueryMode.SPARSE,
    "hybrid": VectorStoreQueryMode.HYBRID,
}
_MODES = {theirs: ours for ours, theirs in MODES.items()}
_OPERATORS: dict[FilterOperator, Operator] = {
    FilterOperator.EQ: "==",
    FilterOperator.NE: "!=",
    FilterOperator.GT: ">",
    FilterOperator.GTE: ">=",
    FilterOperator.LT: "<",
    FilterOperator.LTE: "<=",
    FilterOperator.IN: "in",
    FilterOperator.NIN: "not in",
}


class Points(Protocol):
    """A store that gives the payloads of what it finds."""

    client: Any

    def add(self, nodes: Sequence[Any]) -> list[str]:
        """Insert or replace nodes that carry their embedding."""

    def delete_documents(self, names: Sequence[str]) -> None:
        """Delete the nodes of all these documents."""

    def found(self, query: Query) -> list[tuple[str, float, dict[str, Any]]]:
        """The id, score and payload of the best points, by falling score."""


class LlamaIndexStore(BasePydanticVectorStore):
    """An open store, as llama-index's indexes and retrievers take it."""

    stores_text: bool = True
    flat_metadata: bool = False
    _store: Points = PrivateAttr()

    def __init__(self, store: Points) -> None:
        super().__init__(stores_text=True)
        self._store = store

    @property
    def client(self) -> Any:
        """The engine's shard."""
        return self._store.client

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Insert or replace nodes that carry their embedding; ids must be UUIDs."""
        return self._store.add(nodes)

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Delete the nodes of a document."""
        self._store.delete_documents([ref_doc_id])

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """Search by vector, by words, or by both; scores fall from hit to hit.

        Raises ValueError for a mode or a filter operator that the store does not have.
        """
        if query.mode not in _MODES:
            raise ValueError(f"search mode {query.mode} is not one of default, sparse, hybrid")
        asked = Query(
            query.query_str or "",
            query.query_embedding,
            query.similarity_top_k,
            _MODES[query.mode],
            own_filter(query.filters) if query.filters else None,
        )
        found = self._store.found(asked)
        return VectorStoreQueryResult(
            nodes=[metadata_dict_to_node(payload) for _, _, payload in found],
            similarities=[score for _, score, _ in found],
            ids=[name for name, _, _ in found],
        )


def own_filter(filters: MetadataFilters) -> Filter:
    """Our filter for llama-index's.

    Raises ValueError for an operator that has no translation.
    """
    names = {FilterCondition.OR: "any", FilterCondition.NOT: "none"}
    holds: Any = names.get(filters.condition or FilterCondition.AND, "all")
    return Filter(tuple(_own(part) for part in filters.filters), holds)


def _own(part: MetadataFilter | MetadataFilters) -> Condition | Filter:
    if isinstance(part, MetadataFilters):
        return own_filter(part)
    if part.operator not in _OPERATORS:
        raise ValueError(f"filter operator {part.operator} is not supported by the embedded store")
    return Condition(part.key, _OPERATORS[part.operator], cast(Any, part.value))


def llama_filter(filters: Filter) -> MetadataFilters:
    """llama-index's filters for ours."""
    conditions = {"all": FilterCondition.AND, "any": FilterCondition.OR}
    return MetadataFilters(
        filters=[_theirs(part) for part in filters.parts],
        condition=conditions.get(filters.holds, FilterCondition.NOT),
    )


def _theirs(part: Condition | Filter) -> MetadataFilter | MetadataFilters:
    if isinstance(part, Filter):
        return llama_filter(part)
    operator = next(theirs for theirs, ours in _OPERATORS.items() if ours == part.operator)
    return MetadataFilter(key=part.field, value=cast(Any, part.value), operator=operator)
