"""Weights in 8 bits, 32 inputs of an output with a scale of their own, as a ``step`` reads them."""

import torch
from torch.nn import functional

from ragtune.models.direct.single.arrays import BLOCK, GROUP

ROWS = 256 * BLOCK
"""Outputs that are rounded at once: what is needed besides stays small."""


class Matrix8:
    """The same product of several layers, filled layer by layer.

    ``numbers`` are (layers, blocks, groups, 16, 32, 2): for each pair of a group's inputs those of
    32 outputs; ``scales`` (layers, blocks, groups, 32), bf16 as its bits; ``biases`` fp32, (layers,
    blocks * 32). What is no whole group or block is filled with zeros.
    """

    def __init__(self, layers: int, outputs: int, inputs: int) -> None:
        blocks, groups = -(-outputs // BLOCK), -(-inputs // GROUP)
        # made by torch, which begins at a line of the cache: NumPy does not, and half of the
        # vectors would be on two lines
        self.numbers = torch.empty((layers, blocks, groups, GROUP // 2, BLOCK, 2), dtype=torch.int8)
        self.scales = torch.empty((layers, blocks, groups, BLOCK), dtype=torch.int16)
        self.biases = torch.zeros((layers, blocks * BLOCK))

    def fill(
        self, layer: int, weight: torch.Tensor, bias: torch.Tensor | None, blocks: slice
    ) -> None:
        """Take a weight, (out, in), and its bias for some of a layer's blocks."""
        numbers, scales = self.numbers[layer, blocks], self.scales[layer, blocks]
        at = 0
        for part in torch.split(weight, ROWS):
            found, steps = rounded(part)
            numbers[at : at + len(found)], scales[at : at + len(found)] = found, steps
            at += len(found)
        if bias is not None:
            padded = functional.pad(bias.float(), (0, at * BLOCK - len(bias)))
            self.biases[layer].view(-1, BLOCK)[blocks] = padded.view(-1, BLOCK)


def rounded(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A weight, (out, in), as numbers (blocks, groups, 16, 32, 2) and scales (blocks, groups, 32).

    A scale is the least of bf16 that keeps the largest number within 127.
    """
    outputs, inputs = weight.shape
    whole = functional.pad(weight.float(), (0, -inputs % GROUP, 0, -outputs % BLOCK))
    grouped = whole.view(-1, BLOCK, whole.shape[1] // GROUP, GROUP)
    exact = grouped.abs().amax(-1) / 127
    bits = exact.view(torch.int32).add_(0xFFFF).bitwise_right_shift_(16)
    scale = bits.bitwise_left_shift(16).view(torch.float32)
    numbers = (grouped / scale.clamp_(min=torch.finfo(torch.float32).tiny)[..., None]).round_()
    pairs = numbers.to(torch.int8).view(*grouped.shape[:3], GROUP // 2, 2)
    return pairs.permute(0, 2, 3, 1, 4), bits.to(torch.int16).transpose(1, 2)
