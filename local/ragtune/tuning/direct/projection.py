"""Projections that read the same, as one product, with LoRA on some of them.

``y = x W^T + s drop(x) A^T B^T``: W is frozen, and lies in memory twice where that is faster, as
the forward and as the backward product read it. The A of all projections are one matrix; so are
their B where ranks are low, with zeros where one projection's rank meets another's outputs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ragtune.models.engines.packed import packed, product
from ragtune.tuning.kernels.dropout import LEVELS

JOINED = 48
"""Ranks of B in all up to which a joined matrix is faster than one product for each projection."""


@dataclass(frozen=True)
class Part:
    """One projection: its ranks among those of A and B, and its outputs among all."""

    ranks: slice
    outputs: slice


@dataclass
class Seen:
    """What the backward pass needs: the input, what it is times A and scaled, and what is kept."""

    input: torch.Tensor
    low: torch.Tensor | None = None
    kept: torch.Tensor | None = None
    scale: float = 1.0


@dataclass(frozen=True)
class Slopes:
    """Gradients to A and B of one projection group, shaped as they are."""

    a: torch.Tensor
    b: torch.Tensor


def in_order(weight: torch.Tensor, packs: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """A weight, (out, in), for ``product`` forward and backward: views, or packed copies."""
    if not packs:
        return weight, weight.T
    return packed(weight), packed(weight.T.contiguous())


class Projection:
    """Frozen weights, (out, in) one below the other, and the LoRA on them.

    ``trained`` are PEFT's parameters, A and B of each adapted projection in turn.
    """

    def __init__(self, layers: Sequence[Any], packs: bool) -> None:
        """Take PEFT's or plain linear layers; their own copies of the weights are given up.

        The LoRA matrices of PEFT's layers become views of those here.
        """
        plain = [getattr(layer, "base_layer", layer) for layer in layers]
        weight = torch.cat([layer.weight.detach() for layer in plain])
        biases = [layer.bias for layer in plain]
        self.bias = None if biases[0] is None else torch.cat([b.detach() for b in biases])
        self.dtype = weight.dtype
        self.forth, self.back = in_order(weight, packs)
        for layer in plain:
            layer.weight.data = weight.new_empty(0)
        self.trained: list[torch.Tensor] = []
        self.parts: list[Part] = []
        self.blocks: list[Part] = []
        self.scale, self.dropped = 1.0, 0
        self._adapt(layers, [layer.out_features for layer in plain], weight.shape[1])

    def _adapt(self, layers: Sequence[Any], outputs: Sequence[int], inputs: int) -> None:
        adapted = []
        rank = start = 0
        for layer, width in zip(layers, outputs, strict=True):
            if hasattr(layer, "lora_A"):
                own = layer.r["default"]
                self.parts.append(Part(slice(rank, rank + own), slice(start, start + width)))
                self.scale = layer.scaling["default"]
                share = getattr(layer.lora_dropout["default"], "p", 0.0)
                self.dropped = round(share * LEVELS)
                adapted.append(layer)
                rank += own
            start += width
        self.a = torch.zeros((rank, inputs), dtype=self.dtype)
        self.b = torch.zeros((rank, start), dtype=self.dtype)
        for layer, part in zip(adapted, self.parts, strict=True):
            for side, view in (
                (layer.lora_A["default"].weight, self.a[part.ranks]),
                (layer.lora_B["default"].weight, self.b[part.ranks, part.outputs].T),
            ):
                view.copy_(side.detach())
                side.data = view
                self.trained.append(side)
        if len(self.parts) > 1 and rank > JOINED:
            self.blocks = self.parts
        elif self.parts:
            whole = slice(self.parts[0].outputs.start, self.parts[-1].outputs.stop)
            self.blocks = [Part(slice(0, rank), whole)]

    def slopes(self) -> Slopes:
        """Room for the gradients of A and B."""
        return Slopes(torch.zeros_like(self.a), torch.zeros_like(self.b))

    def views(self, slopes: Slopes) -> list[torch.Tensor]:
        """The gradients to ``trained``."""
        return [
            view
            for part in self.parts
            for view in (slopes.a[part.ranks], slopes.b[part.ranks, part.outputs].T)
        ]

    def forward(
        self, x: torch.Tensor, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, Seen]:
        """The outputs side by side, (tokens, out); LoRA's dropout is drawn from a ``generator``."""
        found = product(x, self.forth, self.bias)
        if not self.parts:
            return found, Seen(x)
        scale, kept = self.scale, None
        if generator is None or not self.dropped:
            low = x @ self.a.T
        else:
            kept = self._drawn(x, generator)
            scale *= LEVELS / max(1, LEVELS - self.dropped)
            low = torch.cat(
                [(x * own) @ self.a[part.ranks].T for own, part in self._alone(kept)], 1
            )
        low.mul_(scale)
        for block in self.blocks:
            found[:, block.outputs].addmm_(low[:, block.ranks], self.b[block.ranks, block.outputs])
        return found, Seen(x, low, kept, scale)

    def backward(self, upstream: torch.Tensor, seen: Seen, slopes: Slopes) -> torch.Tensor:
        """The gradient to the input; those to A and B are written into ``slopes``."""
        found, low = product(upstream, self.back, None), self.learn(upstream, seen, slopes)
        if low is None:
            return found
        if seen.kept is None:
            return found.addmm_(low, self.a)
        for own, part in self._alone(seen.kept):
            found.addcmul_(low[:, part.ranks] @ self.a[part.ranks], own)
        return found

    def learn(self, upstream: torch.Tensor, seen: Seen, slopes: Slopes) -> torch.Tensor | None:
        """Write the gradients to A and B; return that to the input times A, where there is one."""
        if seen.low is None:
            return None
        low = torch.empty_like(seen.low)
        for block in self.blocks:
            ranks, given = block.ranks, upstream[:, block.outputs]
            torch.mm(given, self.b[ranks, block.outputs].T, out=low[:, ranks])
            torch.mm(seen.low[:, ranks].T, given, out=slopes.b[ranks, block.outputs])
        low.mul_(seen.scale)
        if seen.kept is None:
            torch.mm(low.T, seen.input, out=slopes.a)
            return low
        for own, part in self._alone(seen.kept):
            torch.mm(low[:, part.ranks].T, seen.input * own, out=slopes.a[part.ranks])
        return low

    def _alone(self, kept: torch.Tensor) -> list[tuple[torch.Tensor, Part]]:
        return list(zip(kept, self.parts, strict=True))

    def _drawn(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """1 where an element of the input of a part is kept, else 0: (parts, tokens, in).

        Four elements' fates are drawn at once, as in ``kernels.dropout``.
        """
        shape = (len(self.parts), *x.shape)
        draws = torch.empty(math.ceil(math.prod(shape) / 4), dtype=torch.int64)
        draws.random_(-(1 << 63), None, generator=generator)
        fates = draws.view(torch.int16)[: math.prod(shape)].view(shape)
        kept = torch.empty(shape, dtype=x.dtype)
        return torch.gt(fates, self.dropped - LEVELS // 2 - 1, out=kept)
