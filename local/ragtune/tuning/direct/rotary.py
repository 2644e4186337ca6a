"""Heads turned by their positions: ``x * cos + roll(x, size / 2) * sin``, and back."""

import torch

Turns = tuple[torch.Tensor, torch.Tensor]
"""Cosines and signed sines, (tokens, 1, size), as ``models.direct.rotary.tables`` has them."""


def forward(heads: torch.Tensor, turns: Turns) -> torch.Tensor:
    """Heads, (tokens, heads, size), turned."""
    cos, sin = turns
    return (heads * cos).add_(heads.roll(heads.shape[-1] // 2, -1) * sin)


def backward(upstream: torch.Tensor, turns: Turns) -> torch.Tensor:
    """The gradient to the heads."""
    cos, sin = turns
    return (upstream * cos).add_((upstream * sin).roll(upstream.shape[-1] // 2, -1))
