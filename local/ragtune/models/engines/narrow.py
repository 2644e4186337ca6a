"""Products of very few rows, by FBGEMM, with weights in fp16.

A step of one answer alone reads every weight once, and oneDNN's bf16 product of one row reads half
as fast as the processor can: SmolLM2-135M's products took 20.3 ms in bf16 and 12.1 in fp16 for one
row, 25.0 and 12.9 for 2, 20.9 and 17.7 for 4, 19.8 and 24.2 for 6 (one thread of a Zen 5, PyTorch
2.13). Sums are in fp32 either way, so results differ by their order: 9,999 of 10,000 were the same
in bf16. fp16 holds bf16's numbers but for the smallest, which it rounds to 2^-24.

To bring weights into FBGEMM's order takes longer than a short answer, and their memory once more,
so it is done where a model stays to be asked.
"""

import torch

ROWS = 4
"""Up to so many rows it is the faster way."""
LARGEST = 65504.0
"""The largest number of fp16."""


class Narrow:
    """A linear layer for a few rows at a time."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        """Take a weight, (out, in), packed or plain.

        Raises OverflowError where fp16 cannot hold it.
        """
        plain = (weight.to_dense() if weight.is_mkldnn else weight).float()
        if float(plain.abs().max()) > LARGEST:
            raise OverflowError("a weight is larger than fp16 holds")
        exact = None if bias is None else bias.float()
        self._packed = torch.ops.quantized.linear_prepack_fp16(plain, exact)

    def __call__(self, input: torch.Tensor) -> torch.Tensor:
        """The product over the last dimension of (rows, in), in the precision of ``input``."""
        found: torch.Tensor = torch.ops.quantized.linear_dynamic_fp16(input.float(), self._packed)
        return found.to(input.dtype)


def is_narrow_here() -> bool:
    """Whether PyTorch has FBGEMM, as it does for x86."""
    return "fbgemm" in torch.backends.quantized.supported_engines
