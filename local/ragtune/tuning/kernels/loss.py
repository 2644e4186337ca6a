"""The loss over supervised positions, without ever holding the logits of all of them.

Cross-entropy of ``softcap * tanh(scale * (hidden @ weight.T) / softcap)``: the soft cap is Gemma
2's (2024), the scale Granite's and Cohere's; most heads have neither.

The head is frozen under LoRA, so the gradient to the hidden states can be taken chunk by chunk
while the logits of the chunk are at hand; neither they nor a second pass over them is kept. With
a vocabulary of 128 k that is most of a step's memory.
"""

from typing import Any

import torch

from ragtune.models.engines.packed import product
from ragtune.models.families.base import Head

CHUNK = 1 << 24
"""Logits held at once, in elements."""


def loss_and_gradient(
    hidden: torch.Tensor,
    head: Head,
    targets: torch.Tensor,
    *,
    needed: bool,
    ordered: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The summed cross-entropy, in nats, and where it is ``needed`` its gradient to ``hidden``.

    ``hidden`` is (tokens, width), ``targets`` (tokens,). ``ordered`` are the head's weight and its
    transpose as ``product`` takes them.
    """
    scale, softcap = head.scale, head.softcap
    forth, back = ordered or (head.weight, head.weight.T)
    gradient = torch.empty_like(hidden) if needed else None
    total = torch.zeros((), dtype=torch.float32, device=hidden.device)
    size = max(1, CHUNK // head.weight.shape[0])
    for start in range(0, len(hidden), size):
        part = slice(start, start + size)
        logits = product(hidden[part], forth, None).float()
        slope = None  # of the logits, by the products of hidden states and head
        if scale != 1.0:
            logits *= scale
        if softcap is not None:
            logits = logits.div_(softcap).tanh_()
            slope = 1 - logits.square()
            logits *= softcap
        place = targets[part, None]
        logits -= logits.amax(dim=-1, keepdim=True)
        wanted = logits.gather(1, place)
        mass = logits.exp_().sum(dim=-1, keepdim=True)
        total += (mass.log() - wanted).sum()
        if gradient is not None:
            share = logits.div_(mass)  # softmax; less one at the target: the gradient
            share.scatter_add_(1, place, share.new_full((), -1.0).expand(place.shape))
            if slope is not None:
                share *= slope
            if scale != 1.0:
                share *= scale
            gradient[part] = product(share.to(hidden.dtype), back, None)
    return total, gradient


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, head: Head, targets: torch.Tensor) -> torch.Tensor:
        total, gradient = loss_and_gradient(hidden, head, targets, needed=hidden.requires_grad)
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *upstream: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient.mul_(upstream[0]), None, None


def summed_loss(hidden: torch.Tensor, head: Head, targets: torch.Tensor) -> torch.Tensor:
    """The summed cross-entropy, in nats, of the head's logits against ``targets``.

    ``hidden`` is (tokens, width), ``targets`` (tokens,). The result can be propagated backwards
    once, to ``hidden`` alone.

    Raises ValueError where the head's weight is trained: it would get no gradient.
    """
    if head.weight.requires_grad:
        raise ValueError("the head is trained; its loss has to be taken on whole logits")
    loss: torch.Tensor = _ChunkedCrossEntropy.apply(hidden, head, targets)  # type: ignore[no-untyped-call]
    return loss
