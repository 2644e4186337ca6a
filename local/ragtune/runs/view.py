"""A recipe of which only the declared fields can be read.

A stage is given one, so a stage whose key forgets a field that it reads fails at once.
"""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from pydantic import BaseModel

from ragtune.recipe.schema import Recipe

Place = tuple[str, ...]


class UndeclaredRead(RuntimeError):
    """A stage reads what it has not declared; its key would be wrong."""


class _View:
    """A section of the recipe, or the whole, seen through the declared fields."""

    def __init__(self, section: Any, declared: frozenset[Place], place: Place) -> None:
        self._section, self._declared, self._place = section, declared, place

    def __getattr__(self, name: str) -> Any:
        place = (*self._place, name)
        if any(place[: len(field)] == field for field in self._declared):
            return getattr(self._section, name)
        if any(field[: len(place)] == place for field in self._declared):
            return _View(getattr(self._section, name), self._declared, place)
        raise UndeclaredRead(f"reads {'.'.join(place)}, which it does not declare")


def view(recipe: Recipe, fields: Iterable[str]) -> Recipe:
    """The recipe, of which these fields and sections can be read; others raise UndeclaredRead."""
    declared = frozenset(tuple(field.split(".")) for field in fields)
    return cast(Recipe, _View(recipe, declared, ()))


def values(recipe: Recipe, fields: Iterable[str]) -> dict[str, Any]:
    """The values of these fields by their dotted names; of a section all that are in it."""
    found: dict[str, Any] = {}
    for field in fields:
        value: Any = recipe
        for name in field.split("."):
            value = getattr(value, name)
        found.update(_leaves(field, value))
    return found


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, BaseModel):
        for field in type(value).model_fields:
            yield from _leaves(f"{name}.{field}", getattr(value, field))
    else:
        yield name, value
