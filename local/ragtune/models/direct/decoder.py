"""The forward pass of a decoder of Llama's kind.

Tokens of all rows lie side by side, (tokens, width), so nothing is padded but where a few tokens
of many rows attend together. Each step rounds as transformers' modules do: in bf16 the answers
are theirs but for an order of summation here and there.
"""

from collections.abc import Sequence

import torch
from torch.nn import functional

from ragtune.models.direct.attention import Step
from ragtune.models.direct.cache import Cache
from ragtune.models.direct.rotary import tables
from ragtune.models.direct.shape import Shape
from ragtune.models.direct.weights import QKV, Tensors
from ragtune.models.engines.packed import packed, product


class Layer:
    """One block's weights: projections that read the same are one product."""

    def __init__(self, tensors: Tensors, at: str, shape: Shape, packs: bool) -> None:
        def joined(part: str, *names: str) -> tuple[torch.Tensor, torch.Tensor | None]:
            whole = [f"{at}{part}.{name}" for name in names]
            biases = [tensors.get(f"{name}.bias") for name in whole]
            weight = torch.cat([tensors.pop(f"{name}.weight") for name in whole])
            bias = None if biases[0] is None else torch.cat([b for b in biases if b is not None])
            return packed(weight) if packs else weight, bias

        self.before = tensors[f"{at}input_layernorm.weight"]
        self.between = tensors[f"{at}post_attention_layernorm.weight"]
        self.qkv = joined("self_attn", *QKV)
        self.out = joined("self_attn", "o_proj")
        self.gate_up = joined("mlp", "gate_proj", "up_proj")
        self.down = joined("mlp", "down_proj")
        self.norms: tuple[torch.Tensor, torch.Tensor] | None = None
        if shape.normed:
            self.norms = (
                tensors[f"{at}self_attn.q_norm.weight"],
                tensors[f"{at}self_attn.k_norm.weight"],
            )


class Decoder:
    """A model that reads rows of tokens; on a CPU, without gradients."""

    def __init__(self, shape: Shape, tensors: Tensors, packs: bool = True) -> None:
        """Take the tensors; those of the products are gone from there, and packed if asked."""
        self.shape = shape
        self.embeddings = tensors["model.embed_tokens.weight"]
        self.dtype = self.embeddings.dtype
        self.last = tensors["model.norm.weight"]
        head = self.embeddings if shape.tied else tensors.pop("lm_head.weight")
        self.head = packed(head) if packs else head
        self.layers = [
            Layer(tensors, f"model.layers.{n}.", shape, packs) for n in range(shape.layers)
        ]
        self.tables: tuple[torch.Tensor, torch.Tensor] | None = None

    def cache(self, rows: int) -> Cache:
        """An empty cache."""
        return Cache(rows, self.shape.layers, self.shape.shared, self.shape.head, self.dtype)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits, (tokens, vocabulary), of hidden states (tokens, width)."""
        return product(hidden, self.head, None)

    @torch.inference_mode()
    def read(self, rows: Sequence[Sequence[int]], cache: Cache | None = None) -> torch.Tensor:
        """The hidden states of the rows' tokens, one row after the other, (tokens, width).

        With a cache the rows go on where its rows end, and are added to it.
        """
        step = Step(rows, cache, self.shape.heads // self.shape.shared)
        if cache is not None:
            cache.make_room(max(step.ends))
        turns = tuple(table[step.places][:, None] for table in self._tables(max(step.ends)))
        hidden = functional.embedding(step.ids, self.embeddings)
        for number, layer in enumerate(self.layers):
            hidden = hidden + self._attention(hidden, layer, number, step, turns)
            gate, up = product(self._norm(hidden, layer.between), *layer.gate_up).chunk(2, -1)
            hidden = hidden + product(functional.silu(gate) * up, *layer.down)
        if cache is not None:
            cache.lengths = list(step.ends)
        return self._norm(hidden, self.last)

    def _tables(self, positions: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Rotary tables for so many positions and more, made when they are first needed."""
        made = self.tables
        if made is None or len(made[0]) < positions:
            enough = 2 ** max(10, (positions - 1).bit_length())
            made = self.tables = tables(self.shape.rotary, self.shape.head, enough, self.dtype)
        return made

    def _norm(self, hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Root mean square over the last dimension, in fp32 (Zhang and Sennrich 2019)."""
        exact = hidden.float()
        square = torch.linalg.vecdot(exact, exact).div_(exact.shape[-1]).add_(self.shape.epsilon)
        unit: torch.Tensor = exact * square.rsqrt_().unsqueeze(-1)
        return weight * unit.to(self.dtype)

    def _attention(
        self,
        hidden: torch.Tensor,
        layer: Layer,
        number: int,
        step: Step,
        turns: tuple[torch.Tensor, ...],
    ) -> torch.Tensor:
        shape, (cos, sin) = self.shape, turns
        heads = product(self._norm(hidden, layer.before), *layer.qkv)
        heads = heads.view(len(hidden), shape.heads + 2 * shape.shared, shape.head)
        turned, values = heads[:, : -shape.shared], heads[:, -shape.shared :]
        if layer.norms is not None:
            queries, keys = turned[:, : shape.heads], turned[:, shape.heads :]
            turned = torch.cat(
                [self._norm(queries, layer.norms[0]), self._norm(keys, layer.norms[1])], 1
            )
        turned = (turned * cos).add_(turned.roll(shape.head // 2, -1) * sin)
        queries, keys = turned[:, : shape.heads], turned[:, shape.heads :]
        found = step.attend(queries, keys, values, number)
        return product(found.reshape(len(hidden), -1), *layer.out)
