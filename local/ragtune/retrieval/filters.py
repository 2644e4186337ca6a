"""Conditions on a chunk's metadata: written as text, kept in types of no library.

A store translates them into its own: Qdrant's in the embedded one, llama-index's for a server.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Union

from ragtune.core.errors import RecipeError

FIELDS = ("document", "locator", "title", "kind", "page")
"""A chunk's metadata, which searches can be filtered by; ``page`` only in paged files."""
Operator = Literal["==", "!=", ">", ">=", "<", "<=", "in", "not in"]
Value = str | int | float | Sequence[str] | Sequence[int] | Sequence[float]
_CONDITION = re.compile(r"(\w+)(!=|>=|<=|=|>|<)(.+)", re.S)
_OPERATORS: dict[str, Operator] = {
    "=": "==",
    "!=": "!=",
    ">": ">",
    "<": "<",
    ">=": ">=",
    "<=": "<=",
}


@dataclass(frozen=True)
class Condition:
    """A field compared with a value, or with several where the operator is ``in``."""

    field: str
    operator: Operator
    value: Value


@dataclass(frozen=True)
class Filter:
    """Conditions of which all, any or none hold; a part may be a filter itself."""

    parts: tuple[Union[Condition, "Filter"], ...]
    holds: Literal["all", "any", "none"] = "all"


def conditions(where: Sequence[str]) -> Filter | None:
    """The filter for conditions such as ``document=fog.md`` or ``page>=10``; None for none.

    Raises RecipeError for one that has not the form, or names no field.
    """
    parts = tuple(_condition(text) for text in where)
    return Filter(parts) if parts else None


def _condition(text: str) -> Condition:
    found = _CONDITION.fullmatch(text)
    if found is None or found[1] not in FIELDS:
        raise RecipeError(
            f"--where {text}: write it as FIELD=VALUE, also with != > >= < <=; "
            f"fields are {', '.join(FIELDS)}"
        )
    field, operator, value = found.groups()
    if field == "page" and not value.isdecimal():
        raise RecipeError(f"--where {text}: a page is a whole number")
    if field != "page" and operator not in ("=", "!="):
        raise RecipeError(f"--where {text}: only pages have an order; use = or !=")
    return Condition(field, _OPERATORS[operator], int(value) if field == "page" else value)
