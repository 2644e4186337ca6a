"""Causal attention within segments that lie side by side in one sequence, without a mask.

Nothing is padded and no mask is built: each segment is attended to by itself, so what stands
beside it cannot change its logits. Positions are to restart with each segment.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

NAME = "ragtune_segments"


def attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,
    *,
    segments: Sequence[int],
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """An attention function of transformers' interface.

    ``query`` is (1, heads, tokens, size), ``key`` and ``value`` have as many heads or fewer;
    ``segments`` are lengths that add up to ``tokens``. The result is (1, tokens, heads, size).
    """
    options: dict[str, Any] = {
        "is_causal": True,
        "dropout_p": dropout,
        "scale": scaling,
        "enable_gqa": query.shape[1] != key.shape[1],
    }
    if len(set(segments)) == 1:
        query, key, value = (_stack(tensor, len(segments)) for tensor in (query, key, value))
        together = scaled_dot_product_attention(query, key, value, **options).transpose(1, 2)
        return together.reshape(1, -1, *together.shape[2:]), None
    pieces = [torch.split(tensor, list(segments), dim=2) for tensor in (query, key, value)]
    alone = [
        scaled_dot_product_attention(q, k, v, **options) for q, k, v in zip(*pieces, strict=True)
    ]
    return torch.cat(alone, dim=2).transpose(1, 2), None


def _stack(tensor: torch.Tensor, count: int) -> torch.Tensor:
    """(1, heads, count * length, size) → (count, heads, length, size)."""
    _, heads, tokens, size = tensor.shape
    return tensor.reshape(heads, count, tokens // count, size).transpose(0, 1)


def use(model: Any) -> None:
    """Let a transformers model attend within segments; its forward then takes ``segments``."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)
    model.config._attn_implementation = NAME
