"""Attention over a tree's pieces, forward and backward, in plain matrix products.

In bf16 they are faster than PyTorch's fused kernel (see ``kernels.attention``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ragtune.tuning.direct.tree import Piece


@dataclass(frozen=True)
class Masked:
    """A piece whose mask has a row for each of the query heads that share keys."""

    queries: slice
    keys: slice | torch.Tensor
    mask: torch.Tensor


def masked(pieces: Sequence[Piece], group: int) -> list[Masked]:
    """Pieces for heads of which ``group`` share keys and values."""
    return [
        Masked(
            slice(piece.queries.start * group, piece.queries.stop * group),
            piece.keys,
            piece.mask.repeat_interleave(group, 0) if group > 1 else piece.mask,
        )
        for piece in pieces
    ]


@dataclass(frozen=True)
class Kept:
    """What the backward pass needs; ``shares`` are, for each piece, what a query takes of a value.

    Query heads that share keys and values are read as if they were tokens: ``queries`` are
    (shared, tokens * group, size), ``keys`` and ``values`` (shared, tokens, size).
    """

    queries: torch.Tensor
    keys: torch.Tensor
    values: torch.Tensor
    shares: list[torch.Tensor]


def forward(
    pieces: Sequence[Masked],
    queries: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    scale: float,
) -> tuple[torch.Tensor, Kept]:
    """What each query attends to, shaped as ``queries``; see ``Kept`` for the shapes."""
    found, shares = [], []
    for piece in pieces:
        scores = torch.baddbmm(
            piece.mask,
            queries[:, piece.queries],
            _seen(keys, piece).transpose(1, 2),
            alpha=scale,
        )
        shares.append(scores.softmax(-1))
        found.append(torch.bmm(shares[-1], _seen(values, piece)))
    whole = found[0] if len(found) == 1 else torch.cat(found, 1)
    return whole, Kept(queries, keys, values, shares)


def backward(
    pieces: Sequence[Masked], kept: Kept, upstream: torch.Tensor, scale: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients to queries, keys and values; ``upstream`` is that to what was found."""
    queries, keys, values = kept.queries, kept.keys, kept.values
    to_queries = []
    alone = len(pieces) == 1 and isinstance(pieces[0].keys, slice)
    to_keys = keys if alone else torch.zeros_like(keys)
    to_values = values if alone else torch.zeros_like(values)
    for piece, share in zip(pieces, kept.shares, strict=True):
        asked, given = queries[:, piece.queries], upstream[:, piece.queries]
        value = torch.bmm(share.transpose(1, 2), given)
        weight = torch.bmm(given, _seen(values, piece).transpose(1, 2))
        score = torch._softmax_backward_data(weight, share, -1, share.dtype)
        to_queries.append(_scaled(score, _seen(keys, piece), scale))
        key = _scaled(score.transpose(1, 2), asked, scale)
        if alone:
            to_keys, to_values = key, value
        elif isinstance(piece.keys, slice):
            to_keys[:, piece.keys] += key
            to_values[:, piece.keys] += value
        else:
            to_keys.index_add_(1, piece.keys, key)
            to_values.index_add_(1, piece.keys, value)
    whole = to_queries[0] if len(to_queries) == 1 else torch.cat(to_queries, 1)
    return whole, to_keys, to_values


def _seen(tensor: torch.Tensor, piece: Masked) -> torch.Tensor:
    """The keys or values that a piece looks at."""
    if isinstance(piece.keys, slice):
        return tensor[:, piece.keys]
    return tensor.index_select(1, piece.keys)


def _scaled(one: torch.Tensor, other: torch.Tensor, scale: float) -> torch.Tensor:
    """``scale`` times a product."""
    nothing = one.new_empty(())
    return torch.baddbmm(nothing, one, other, beta=0, alpha=scale)
