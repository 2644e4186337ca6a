"""The families that are known: those here, and those that other packages bring.

A package brings one through the entry-point group ``ragtune.families``: an entry point is a class
that is called without arguments, or a function like it, and gives a ``ModelFamily``.
"""

import functools
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from ragtune.core.errors import ModelError
from ragtune.models.families.base import ModelFamily
from ragtune.models.families.llama import Llama

GROUP = "ragtune.families"

_families: list[ModelFamily] = [Llama()]


def register(family: ModelFamily) -> None:
    """Let this process know a family; one of the same name gives way to it."""
    _families[:] = [family, *(f for f in _families if f.name != family.name)]


def families() -> tuple[ModelFamily, ...]:
    """All that are known; those registered last come first."""
    return (*_families, *_installed())


def family_of(config: Mapping[str, Any]) -> ModelFamily:
    """The family of a ``config.json``.

    Raises ModelError where none knows it.
    """
    for family in families():
        if family.knows(config):
            return family
    known = ", ".join(sorted({family.name for family in families()}))
    raise ModelError(
        f"a model of type {config.get('model_type') or 'unknown'}; known types: {known}; name "
        f"another in model.local, or install a package with its family ({GROUP})"
    )


@functools.cache
def _installed() -> tuple[ModelFamily, ...]:
    return tuple(entry.load()() for entry in entry_points(group=GROUP))
