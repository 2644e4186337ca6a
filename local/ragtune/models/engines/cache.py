"""Keys and values of a batch, in memory that has room for the tokens to come."""

from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

ROOM = 64
"""Tokens that there is room for beyond those that are there."""


class RoomyLayer(DynamicLayer):  # type: ignore[misc]  # untyped in transformers
    """A layer's cache that copies what it holds once in ``ROOM`` tokens, not at each.

    ``keys`` and ``values``, (rows, heads, tokens, size), are the written parts of larger tensors.
    """

    keys: torch.Tensor
    values: torch.Tensor
    _larger: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add the keys and values of new tokens; all that are there."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        if self._larger is None or self._larger[0].shape[-2] < end:
            self._larger = (
                _larger(self.keys, key_states, end),
                _larger(self.values, value_states, end),
            )
        for larger, new in zip(self._larger, (key_states, value_states), strict=True):
            larger[..., start:end, :] = new
        self.keys, self.values = (larger[..., :end, :] for larger in self._larger)
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Make the rows those named, which may be named more than once."""
        if self._larger is not None:
            end = self.get_seq_length()
            self._larger = self._larger[0][indices], self._larger[1][indices]
            self.keys, self.values = (larger[..., :end, :] for larger in self._larger)


def roomy(config: Any = None) -> DynamicCache:
    """A model's cache, its layers roomy where they keep everything; without one all do."""
    cache = DynamicCache(config=config)
    cache.layers = [RoomyLayer() if type(one) is DynamicLayer else one for one in cache.layers]
    cache.layer_class_to_replicate = RoomyLayer
    return cache


def _larger(held: torch.Tensor, new: torch.Tensor, end: int) -> torch.Tensor:
    rows, heads, _, size = new.shape
    larger = new.new_empty(rows, heads, end + ROOM, size)
    if held.numel():
        larger[..., : held.shape[-2], :] = held
    return larger
