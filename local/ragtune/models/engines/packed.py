"""Linear layers whose weights lie in memory as a CPU's matrix products read them.

PyTorch brings the weights of a bf16 product into oneDNN's order at each call, and takes MKL for
fp32, which leaves half of an AMD processor's vector width unused. With weights put into that order
once, bf16 products took 0.55 to 0.8 of the time for 1 to 16 rows and 0.9 to 0.98 from 64 rows on,
those of fp32 0.7 to 0.9 (widths 576 and 1,536, one thread of a Zen 5, PyTorch 2.13).
"""

from typing import Any

import torch

ROWS = 64
"""The order is chosen for so many rows; it is the same from 16 rows to 3,520."""


class PackedLinear(torch.nn.Linear):
    """``torch.nn.Linear`` without gradients, its weights in oneDNN's order and nowhere else."""

    packed: torch.Tensor

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """The product over the last dimension, as precise as PyTorch's own."""
        return product(input, self.packed, self.bias)


def packed(weight: torch.Tensor) -> torch.Tensor:
    """A weight, (out, in), in oneDNN's order: for ``product`` and nothing else."""
    ordered: torch.Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), ROWS)
    return ordered


def product(input: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """A linear layer's product, with a weight that is packed or plain."""
    if not weight.is_mkldnn:
        return torch.nn.functional.linear(input, weight, bias)
    if input.dim() == 2 and len(input) == 1:  # summed in another order than among others
        return product(input.expand(2, -1), weight, bias)[:1]
    found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(input, weight, bias, "none", [], "")
    return found


@torch.inference_mode()
def pack(model: torch.nn.Module) -> None:
    """Pack the fp32 and bf16 linear layers of a model on a CPU, where PyTorch has oneDNN.

    Afterwards the model answers and does no more: it has no weights to train, merge or save.
    """
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return
    layers: Any = [m for m in model.modules() if type(m) is torch.nn.Linear]
    for layer in layers:
        weight = layer.weight
        if weight.device.type == "cpu" and weight.dtype in (torch.float32, torch.bfloat16):
            layer.packed = packed(weight)
            layer.weight = None
            layer.__class__ = PackedLinear
