"""The families that are known: those here, and those that other packages bring.

A package brings one through the entry-point group ``ragtune.families``: an entry point is a class
that is called without arguments, or a function like it, and gives a ``ModelFamily``.
"""

import functools
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from ragtune.models.families.base import ModelFamily
from ragtune.models.families.generic import Generic
from ragtune.models.families.gpt2 import GPT2
from ragtune.models.families.llama import Llama
from ragtune.models.families.scaled import Gemma, Granite
from ragtune.models.families.standard import STANDARD

GROUP = "ragtune.families"

_families: list[ModelFamily] = [
    Llama(),
    *STANDARD,
    Gemma("gemma2"),
    Gemma("gemma3_text"),
    Granite(),
    GPT2(),
]


def register(family: ModelFamily) -> None:
    """Let this process know a family; one of the same name gives way to it."""
    _families[:] = [family, *(f for f in _families if f.name != family.name)]


def families() -> tuple[ModelFamily, ...]:
    """All that are known; those registered last come first."""
    return (*_families, *_installed())


def family_of(config: Mapping[str, Any]) -> ModelFamily:
    """The family of a ``config.json``: the first that knows it, or else one made for it.

    Raises ModelError where it is of no causal language model that transformers has.
    """
    for family in families():
        if family.knows(config):
            return family
    return Generic(config)


@functools.cache
def _installed() -> tuple[ModelFamily, ...]:
    return tuple(entry.load()() for entry in entry_points(group=GROUP))
