"""Root mean square normalisation (Zhang and Sennrich 2019) over the last dimension, in fp32."""

import torch


def forward(
    x: torch.Tensor, weight: torch.Tensor, epsilon: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """``x`` normalised, in its precision, and the factors by which: (…, 1), fp32."""
    exact = x.float()
    square = torch.linalg.vecdot(exact, exact).div_(x.shape[-1]).add_(epsilon)
    factor = square.rsqrt_().unsqueeze(-1)
    unit: torch.Tensor = exact * factor
    return weight * unit.to(x.dtype), factor


def backward(
    upstream: torch.Tensor, x: torch.Tensor, factor: torch.Tensor, weight: torch.Tensor
) -> torch.Tensor:
    """The gradient to ``x``; the weight is frozen."""
    slope = (upstream * weight).float()
    unit = x.float() * factor
    along = torch.linalg.vecdot(slope, unit).div_(x.shape[-1]).unsqueeze(-1)
    found: torch.Tensor = slope.addcmul_(unit, along, value=-1.0).mul_(factor)
    return found.to(x.dtype)
