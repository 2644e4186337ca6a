"""Root mean square normalisation (Zhang and Sennrich 2019) over the last dimension, in fp32."""

import numpy as np
import torch

from ragtune.tuning.direct import compiled
from ragtune.tuning.direct.compiled import numbers


def forward(
    x: torch.Tensor, weight: torch.Tensor, epsilon: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """``x`` normalised, in its precision, and the factors by which, one after the other, fp32."""
    rows = x.reshape(-1, x.shape[-1])
    found, factor = torch.empty_like(rows), torch.empty(len(rows))
    compiled.norm(
        numbers(rows), numbers(weight), np.float32(epsilon), numbers(found), numbers(factor)
    )
    return found.view(x.shape), factor


def backward(
    upstream: torch.Tensor,
    x: torch.Tensor,
    factor: torch.Tensor,
    weight: torch.Tensor,
    beside: torch.Tensor | None = None,
) -> torch.Tensor:
    """The gradient to ``x``, which is added to what is ``beside``; the weight is frozen."""
    rows, above = x.reshape(-1, x.shape[-1]), upstream.reshape(-1, x.shape[-1])
    found = torch.zeros_like(rows) if beside is None else beside
    compiled.norm_back(
        numbers(above), numbers(rows), numbers(factor), numbers(weight), numbers(found)
    )
    return found.view(x.shape)
