"""Rotary positions (Su et al. 2021), with the two ways of stretching them that are used most."""

import math

import torch

from ragtune.models.direct.shape import Rotary


def tables(
    rotary: Rotary, head: int, positions: int, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines, (positions, head): a head is ``x * cos + roll(x, head / 2) * sin``.

    The sines of the first half are negative, since the rolled half has no sign of its own.
    """
    angles = torch.arange(positions).float()[:, None] * _frequencies(rotary, head)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat([cos, cos], -1).to(dtype), torch.cat([-sin, sin], -1).to(dtype)


def _frequencies(rotary: Rotary, head: int) -> torch.Tensor:
    """Radians a position for each pair of a head's numbers, (head / 2)."""
    usual = 1.0 / rotary.theta ** (torch.arange(0, head, 2).float() / head)
    if rotary.kind == "linear":
        return usual / rotary.factor
    if rotary.kind == "llama3":
        return _stretched(usual, rotary)
    return usual


def _stretched(usual: torch.Tensor, rotary: Rotary) -> torch.Tensor:
    """Llama 3.1's: long waves are stretched, short ones kept, those between mixed."""
    waves = 2 * math.pi / usual
    share = (rotary.original / waves - rotary.low) / (rotary.high - rotary.low)
    mixed = (1 - share) * usual / rotary.factor + share * usual
    long = waves > rotary.original / rotary.low
    short = waves < rotary.original / rotary.high
    return torch.where(long, usual / rotary.factor, torch.where(short, usual, mixed))
