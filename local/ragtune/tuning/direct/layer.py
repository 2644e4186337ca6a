"""A decoder's block, forward and backward."""

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from ragtune.models.direct.shape import Shape
from ragtune.models.direct.weights import QKV
from ragtune.tuning.direct import attention, norm, rotary
from ragtune.tuning.direct.projection import Projection, Seen, Slopes


@dataclass(frozen=True)
class Step:
    """What all layers have in common while rows are read."""

    turns: rotary.Turns
    pieces: list[attention.Masked]
    generator: torch.Generator | None = None


@dataclass
class Kept:
    """What the backward pass of a layer needs."""

    x: torch.Tensor
    before: torch.Tensor
    qkv: Seen
    heads: torch.Tensor | None
    factors: tuple[torch.Tensor, torch.Tensor] | None
    attended: attention.Kept
    out: Seen
    middle: torch.Tensor
    between: torch.Tensor
    gate_up: Seen
    products: torch.Tensor
    opened: torch.Tensor
    down: Seen
    read: torch.Tensor | None

    @property
    def tensors(self) -> list[torch.Tensor]:
        """All of them, some more than once."""
        return _tensors(self)


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, list | tuple):
        return [tensor for part in value for tensor in _tensors(part)]
    return _tensors([*vars(value).values()]) if hasattr(value, "__dict__") else []


class Layer:
    """One block's weights, and room for the gradients of those of LoRA for each thread."""

    def __init__(self, block: Any, shape: Shape, packs: bool) -> None:
        """Take transformers' block, its projections plain or PEFT's; their weights move here."""
        own, mlp = block.self_attn, block.mlp
        self.shape, self.scale = shape, float(own.scaling)
        self.before = block.input_layernorm.weight.detach()
        self.between = block.post_attention_layernorm.weight.detach()
        self.norms: tuple[torch.Tensor, torch.Tensor] | None = None
        if shape.normed:
            self.norms = own.q_norm.weight.detach(), own.k_norm.weight.detach()
        self.qkv = Projection([getattr(own, name) for name in QKV], packs)
        self.out = Projection([own.o_proj], packs)
        self.gate_up = Projection([mlp.gate_proj, mlp.up_proj], packs)
        self.down = Projection([mlp.down_proj], packs)
        self.projections = (self.qkv, self.out, self.gate_up, self.down)

    def forward(
        self, x: torch.Tensor, step: Step, read: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, Kept]:
        """Hidden states (tokens, width) → those of the next layer, and what is kept for later.

        ``read`` are places of tokens: of the others no hidden states are wanted.
        """
        shape, draw = self.shape, step.generator
        tokens, group = len(x), shape.heads // shape.shared
        hidden, before = norm.forward(x, self.before, shape.epsilon)
        joined, qkv = self.qkv.forward(hidden, draw)
        joined = joined.view(tokens, shape.heads + 2 * shape.shared, shape.head)
        heads, turned = None, joined[:, : -shape.shared]
        factors = None
        if self.norms is not None:
            heads = turned
            queries, own = norm.forward(heads[:, : shape.heads], self.norms[0], shape.epsilon)
            keys, shared = norm.forward(heads[:, shape.heads :], self.norms[1], shape.epsilon)
            turned, factors = torch.cat([queries, keys], 1), (own, shared)
        turned = rotary.forward(turned, step.turns)
        queries = turned[:, : shape.heads].reshape(tokens, shape.shared, -1).transpose(0, 1)
        queries = queries.reshape(shape.shared, tokens * group, shape.head)
        keys = turned[:, shape.heads :].transpose(0, 1).contiguous()
        values = joined[:, -shape.shared :].transpose(0, 1).contiguous()
        found, attended = attention.forward(step.pieces, queries, keys, values, self.scale)
        found = found.view(shape.shared, tokens, -1).transpose(0, 1).reshape(tokens, -1)
        if read is not None:
            found = found[read]
        added, out = self.out.forward(found, draw)
        middle = added.add_(x if read is None else x[read])
        hidden, between = norm.forward(middle, self.between, shape.epsilon)
        products, gate_up = self.gate_up.forward(hidden, draw)
        opened = functional.silu(products[:, : shape.inner])
        added, down = self.down.forward(opened * products[:, shape.inner :], draw)
        kept = Kept(
            x=x,
            before=before,
            qkv=qkv,
            heads=heads,
            factors=factors,
            attended=attended,
            out=out,
            middle=middle,
            between=between,
            gate_up=gate_up,
            products=products,
            opened=opened,
            down=down,
            read=read,
        )
        return added.add_(middle), kept

    def backward(
        self, upstream: torch.Tensor, kept: Kept, step: Step, slopes: tuple[Slopes, ...]
    ) -> torch.Tensor:
        """The gradient to ``x``; those of LoRA are written into ``slopes``, by projection."""
        to_joined, to_middle = self._above(upstream, kept, step, slopes)
        to_hidden = self.qkv.backward(to_joined, kept.qkv, slopes[0])
        to_x = norm.backward(to_hidden, kept.x, kept.before, self.before)
        return to_x.add_(to_middle)

    def learn(
        self, upstream: torch.Tensor, kept: Kept, step: Step, slopes: tuple[Slopes, ...]
    ) -> None:
        """Write LoRA's gradients alone, where nothing below is trained."""
        to_joined, _ = self._above(upstream, kept, step, slopes)
        self.qkv.learn(to_joined, kept.qkv, slopes[0])

    def _above(
        self, upstream: torch.Tensor, kept: Kept, step: Step, slopes: tuple[Slopes, ...]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The gradients to the joined projections' outputs, and to ``x`` past attention."""
        inner = self.shape.inner
        to_product = self.down.backward(upstream, kept.down, slopes[3])
        to_both = torch.empty_like(kept.products)
        gate, up = kept.products[:, :inner], kept.products[:, inner:]
        torch.mul(to_product, kept.opened, out=to_both[:, inner:])
        torch.ops.aten.silu_backward.grad_input(
            to_product.mul_(up), gate, grad_input=to_both[:, :inner]
        )
        to_hidden = self.gate_up.backward(to_both, kept.gate_up, slopes[2])
        to_middle = norm.backward(to_hidden, kept.middle, kept.between, self.between)
        to_middle += upstream
        to_found = self.out.backward(to_middle, kept.out, slopes[1])
        if kept.read is not None:
            to_found, to_middle = (
                _spread(t, kept.read, len(kept.x)) for t in (to_found, to_middle)
            )
        return self._attention(to_found, kept, step), to_middle

    def _attention(self, upstream: torch.Tensor, kept: Kept, step: Step) -> torch.Tensor:
        """From the gradient to what was attended to to that to the joined projections' outputs."""
        shape, tokens = self.shape, len(upstream)
        group = shape.heads // shape.shared
        upstream = upstream.view(tokens, shape.shared, -1).transpose(0, 1)
        queries, keys, values = attention.backward(
            step.pieces,
            kept.attended,
            upstream.reshape(shape.shared, tokens * group, shape.head),
            self.scale,
        )
        turned = upstream.new_empty((tokens, shape.heads + shape.shared, shape.head))
        turned[:, : shape.heads].view(tokens, shape.shared, -1).copy_(
            queries.view(shape.shared, tokens, -1).transpose(0, 1)
        )
        turned[:, shape.heads :] = keys.transpose(0, 1)
        heads = rotary.backward(turned, step.turns)
        if self.norms is not None and kept.heads is not None and kept.factors is not None:
            own = slice(None, shape.heads), slice(shape.heads, None)
            heads = torch.cat(
                [
                    norm.backward(heads[:, part], kept.heads[:, part], factor, weight)
                    for part, factor, weight in zip(own, kept.factors, self.norms, strict=True)
                ],
                1,
            )
        joined = torch.cat([heads, values.transpose(0, 1)], 1)
        return joined.view(tokens, -1)


def _spread(gradient: torch.Tensor, places: torch.Tensor, tokens: int) -> torch.Tensor:
    """A gradient to some tokens as one to all of them."""
    return gradient.new_zeros((tokens, gradient.shape[1])).index_add_(0, places, gradient)
