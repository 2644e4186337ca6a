"""The loss over supervised positions, without ever holding the logits of all of them.

The head is frozen under LoRA, so the gradient to the hidden states can be taken chunk by chunk
while the logits of the chunk are at hand; neither they nor a second pass over them is kept. With
a vocabulary of 128 k that is most of a step's memory.
"""

from typing import Any

import torch

CHUNK = 1 << 24
"""Logits held at once, in elements."""


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, head: torch.Tensor, targets: torch.Tensor
    ) -> torch.Tensor:
        needed = hidden.requires_grad
        gradient = torch.empty_like(hidden) if needed else None
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        size = max(1, CHUNK // head.shape[0])
        for start in range(0, len(hidden), size):
            part = slice(start, start + size)
            logits = (hidden[part] @ head.T).float()
            place = targets[part, None]
            logits -= logits.amax(dim=-1, keepdim=True)
            wanted = logits.gather(1, place)
            mass = logits.exp_().sum(dim=-1, keepdim=True)
            total += (mass.log() - wanted).sum()
            if gradient is not None:
                share = logits.div_(mass)  # softmax; less one at the target: the gradient
                share.scatter_add_(1, place, share.new_full((), -1.0).expand(place.shape))
                gradient[part] = share.to(hidden.dtype) @ head
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *upstream: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient.mul_(upstream[0]), None, None


def summed_loss(hidden: torch.Tensor, head: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The summed cross-entropy, in nats, of ``hidden @ head.T`` against ``targets``.

    ``hidden`` is (tokens, width), ``head`` (vocabulary, width) and frozen, ``targets`` (tokens,).
    The result can be propagated backwards once.
    """
    loss: torch.Tensor = _ChunkedCrossEntropy.apply(hidden, head, targets)  # type: ignore[no-untyped-call]
    return loss
