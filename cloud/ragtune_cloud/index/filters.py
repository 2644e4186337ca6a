"""A search's conditions in the words of S3 Vectors and of a Knowledge Base.

Neither can deny a group, so a denial is carried inwards to the single conditions.
"""

from collections.abc import Mapping
from typing import Any

from ragtune.core.errors import RecipeError
from ragtune.retrieval.filters import Condition, Filter, Operator

FIELDS = ("document", "locator", "kind", "page")
"""Metadata that can be filtered by there."""
DENIED: dict[Operator, Operator] = {
    "==": "!=",
    "!=": "==",
    ">": "<=",
    "<=": ">",
    "<": ">=",
    ">=": "<",
    "in": "not in",
    "not in": "in",
}
S3_VECTORS: dict[Operator, str] = {
    "==": "$eq",
    "!=": "$ne",
    ">": "$gt",
    ">=": "$gte",
    "<": "$lt",
    "<=": "$lte",
    "in": "$in",
    "not in": "$nin",
}
KNOWLEDGE_BASE: dict[Operator, str] = {
    "==": "equals",
    "!=": "notEquals",
    ">": "greaterThan",
    ">=": "greaterThanOrEquals",
    "<": "lessThan",
    "<=": "lessThanOrEquals",
    "in": "in",
    "not in": "notIn",
}


def for_s3_vectors(filters: Filter) -> dict[str, Any]:
    """The filter as ``QueryVectors`` takes it.

    Raises RecipeError for a field that is not filtered by there.
    """

    def one(condition: Condition) -> dict[str, Any]:
        return {condition.field: {S3_VECTORS[condition.operator]: _plain(condition.value)}}

    return _translated(filters, one, {"all": "$and", "any": "$or"}, denied=False)


def for_knowledge_base(filters: Filter) -> dict[str, Any]:
    """The filter as ``Retrieve`` takes it.

    Raises RecipeError for a field that is not filtered by there.
    """

    def one(condition: Condition) -> dict[str, Any]:
        return {
            KNOWLEDGE_BASE[condition.operator]: {
                "key": condition.field,
                "value": _plain(condition.value),
            }
        }

    return _translated(filters, one, {"all": "andAll", "any": "orAll"}, denied=False)


def _translated(
    part: Filter | Condition, one: Any, groups: Mapping[str, str], *, denied: bool
) -> dict[str, Any]:
    if isinstance(part, Condition):
        if part.field not in FIELDS:
            raise RecipeError(
                f"{part.field}: cannot be filtered by there; allowed: {', '.join(FIELDS)}"
            )
        turned = DENIED[part.operator] if denied else part.operator
        return dict(one(Condition(part.field, turned, part.value)))
    together = (part.holds != "any") != denied
    inner = denied != (part.holds == "none")
    parts = [_translated(each, one, groups, denied=inner) for each in part.parts]
    return parts[0] if len(parts) == 1 else {groups["all" if together else "any"]: parts}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else value
