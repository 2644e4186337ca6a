"""The passes over all layers of a decoder, forward and backward."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from ragtune.models.direct.rotary import tables
from ragtune.models.direct.shape import Shape
from ragtune.models.families.base import Head
from ragtune.tuning.direct import norm
from ragtune.tuning.direct.attention import masked
from ragtune.tuning.direct.layer import Kept, Layer, Step
from ragtune.tuning.direct.projection import Slopes, in_order
from ragtune.tuning.direct.tree import Row, Tree, tree
from ragtune.tuning.kernels.loss import loss_and_gradient

Gradients = list[tuple[Slopes, ...]]
"""Room for the gradients of LoRA, by layer and projection."""
SEEDS = 1 << 62


class Decoder:
    """A model in training: frozen weights, and the LoRA on them.

    ``recomputes``: a layer keeps its input alone, and is computed again in the backward pass.
    """

    def __init__(self, model: Any, head: Head, shape: Shape, packs: bool) -> None:
        """Take a ``…ForCausalLM`` of transformers whose projections may be PEFT's.

        The weights of its projections move here: it computes nothing afterwards.
        """
        self.shape, self.head, self.recomputes = shape, head, False
        self.embeddings = model.model.embed_tokens.weight.detach()
        self.dtype = self.embeddings.dtype
        self.last = model.model.norm.weight.detach()
        self.layers = [Layer(block, shape, packs) for block in model.model.layers]
        self.ordered = in_order(head.weight.detach(), packs)
        self.drops = any(p.dropped for layer in self.layers for p in layer.projections)
        self.tables: tuple[torch.Tensor, torch.Tensor] | None = None

    @property
    def trained(self) -> list[torch.Tensor]:
        """PEFT's parameters, views of the LoRA here."""
        return [t for layer in self.layers for p in layer.projections for t in p.trained]

    def gradients(self) -> Gradients:
        """Room for those that one thread comes to."""
        return [tuple(p.slopes() for p in layer.projections) for layer in self.layers]

    def views(self, gradients: Gradients) -> list[torch.Tensor]:
        """They as those to ``trained``."""
        return [
            view
            for layer, slopes in zip(self.layers, gradients, strict=True)
            for projection, own in zip(layer.projections, slopes, strict=True)
            for view in projection.views(own)
        ]

    def loss(self, rows: Sequence[Row]) -> float:
        """The summed loss over the rows' supervised tokens, in nats; nothing is dropped."""
        laid = tree(rows, self.dtype, shared=True)
        hidden, step = self._begin(laid)
        for number, layer in enumerate(self.layers):
            hidden, _ = layer.forward(hidden, step, self._read(number, laid))
        hidden, _ = norm.forward(hidden[laid.places], self.last, self.shape.epsilon)
        total, _ = loss_and_gradient(
            hidden, self.head, laid.targets, needed=False, ordered=self.ordered
        )
        return float(total)

    def kept(self, rows: Sequence[Row]) -> int:
        """Bytes that a forward pass over rows keeps for the backward pass."""
        laid = tree(rows, self.dtype, shared=not self.drops)
        hidden, step = self._begin(laid, seed=0)
        held: list[torch.Tensor] = []
        for number, layer in enumerate(self.layers):
            after, kept = layer.forward(hidden, step, self._read(number, laid))
            held += [hidden] if self.recomputes else kept.tensors
            hidden = after
        storages = [tensor.untyped_storage() for tensor in held]
        return sum({s.data_ptr(): s.nbytes() for s in storages}.values())

    def propagate(self, rows: Sequence[Row], tokens: int, seed: int, gradients: Gradients) -> float:
        """Write the gradients of the summed loss / ``tokens``; return that sum, in nats.

        ``seed`` decides what dropout drops.
        """
        laid = tree(rows, self.dtype, shared=not self.drops)
        hidden, step = self._begin(laid, seed)
        memory: list[Kept | torch.Tensor] = []
        for number in range(len(self.layers)):
            after, kept = self._through(number, hidden, step, laid, seed)
            memory.append(hidden if self.recomputes else kept)
            hidden = after
        predicting = hidden[laid.places]
        last, factor = norm.forward(predicting, self.last, self.shape.epsilon)
        total, slope = loss_and_gradient(
            last, self.head, laid.targets, needed=True, ordered=self.ordered
        )
        assert slope is not None
        slope = norm.backward(slope.mul_(1 / tokens), predicting, factor, self.last)
        upstream = torch.zeros_like(hidden).index_add_(0, laid.places, slope)
        for number in range(len(self.layers) - 1, -1, -1):
            layer, held = self.layers[number], memory.pop()
            if isinstance(held, torch.Tensor):
                _, held = self._through(number, held, step, laid, seed)
            if number == 0:
                layer.learn(upstream, held, step, gradients[0])
            else:
                upstream = layer.backward(upstream, held, step, gradients[number])
        return float(total)

    def _begin(self, laid: Tree, seed: int | None = None) -> tuple[torch.Tensor, Step]:
        """The tokens' embeddings, and what all layers have in common; dropout with a seed."""
        generator = torch.Generator() if self.drops and seed is not None else None
        cos, sin = self._tables(int(laid.positions.max()) + 1)
        turns = cos[laid.positions][:, None], sin[laid.positions][:, None]
        pieces = masked(laid.pieces, self.shape.heads // self.shape.shared)
        return functional.embedding(laid.ids, self.embeddings), Step(turns, pieces, generator)

    def _through(
        self, number: int, hidden: torch.Tensor, step: Step, laid: Tree, seed: int
    ) -> tuple[torch.Tensor, Kept]:
        """A layer's forward pass, whose dropout is the same when it is computed again."""
        if step.generator is not None:
            step.generator.manual_seed((seed * 1_009 + number) % SEEDS)
        return self.layers[number].forward(hidden, step, self._read(number, laid))

    def _read(self, number: int, laid: Tree) -> torch.Tensor | None:
        """Of which tokens a layer's outputs are read: of the last one's those that predict."""
        return laid.predicting if number == len(self.layers) - 1 else None

    def _tables(self, positions: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Rotary tables for so many positions and more, made when they are first needed."""
        made = self.tables
        if made is None or len(made[0]) < positions:
            enough = 2 ** max(10, (positions - 1).bit_length())
            made = tables(self.shape.rotary, self.shape.head, enough, self.dtype)
            self.tables = made
        return made
