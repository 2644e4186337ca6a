"""Heads turned by their positions: ``x * cos + roll(x, size / 2) * sin``, and back."""

from typing import Any

import torch

from ragtune.tuning.direct import compiled
from ragtune.tuning.direct.compiled import numbers

Turns = tuple[torch.Tensor, torch.Tensor]
"""Cosines and signed sines, (tokens, size), as ``models.direct.rotary.tables`` has them."""


def forward(
    heads: torch.Tensor, joined: torch.Tensor, shared: int, turns: Turns
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Queries, keys and values as ``attention.Kept`` has them, the first two turned.

    ``joined``, (tokens, heads + 2 * shared, size), has them side by side; queries and keys are
    read from ``heads``, where they have the same places.
    """
    tokens, whole, size = joined.shape
    queries = joined.new_empty((shared, tokens * (whole // shared - 2), size))
    keys, values = joined.new_empty((2, shared, tokens, size))
    found = queries, keys, values
    compiled.turn(numbers(heads), numbers(joined), _each(turns), _each(found))
    return found


def backward(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, turns: Turns
) -> torch.Tensor:
    """From the gradients to queries, keys and values to that to what was ``joined``."""
    shared, tokens, size = keys.shape
    whole = queries.shape[1] // tokens * shared + 2 * shared
    found = keys.new_empty((tokens, whole, size))
    gradients = queries.contiguous(), keys.contiguous(), values.contiguous()
    compiled.turn_back(_each(gradients), _each(turns), numbers(found))
    return found


def _each(tensors: tuple[torch.Tensor, ...]) -> tuple[Any, ...]:
    return tuple(map(numbers, tensors))
