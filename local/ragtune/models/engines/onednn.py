"""Linear layers whose fp32 products on a CPU are oneDNN's.

PyTorch takes MKL for them, which leaves half of an AMD processor's vector width unused: oneDNN was
2.1 to 2.4 times faster there from 140 rows on (widths 384 to 1,536, a Zen 5, PyTorch 2.13).
"""

from typing import Any

import torch

FEW = 4
"""Rows up to which a product is bound by memory, and PyTorch's own is as fast."""


class OneDnnLinear(torch.nn.Linear):
    """``torch.nn.Linear``, through oneDNN where no gradient is asked for."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """The product over the last dimension, in fp32 as precise as PyTorch's own."""
        rows = input.numel() // self.in_features
        if torch.is_grad_enabled() or rows <= FEW:
            return super().forward(input)
        product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            input, self.weight, self.bias, "none", [], ""
        )
        return product


def through_onednn(model: torch.nn.Module) -> None:
    """Make the fp32 linear layers of a model on a CPU oneDNN's, where PyTorch has it."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return
    layers: Any = [m for m in model.modules() if type(m) is torch.nn.Linear]
    for layer in layers:
        if layer.weight.device.type == "cpu" and layer.weight.dtype == torch.float32:
            layer.__class__ = OneDnnLinear
