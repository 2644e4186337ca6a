"""Whether what a family says of a model is true of it, looked at before training.

A soft cap, a scale or a sliding window that is left out changes no shape and raises nothing: the
model would be trained on another loss than its own, in silence.
"""

from typing import Any

import torch

from ragtune.core.errors import ModelError
from ragtune.models.families.base import ModelFamily
from ragtune.tuning.batches import Batch, collate
from ragtune.tuning.kernels import attention
from ragtune.tuning.samples import Sample

LENGTHS = (7, 5)
"""Rows that are read side by side, or padded, and each alone."""
BOUNDS = {torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.02}
"""How far logits may be apart, as a share of their norm: what rounding in a deep model comes to."""


def hidden_states(base: Any, batch: Batch, family: ModelFamily) -> torch.Tensor:
    """The last hidden states of a batch, (rows, tokens, width)."""
    how: dict[str, Any] = {"segments": batch.segments} if batch.segments else {}
    if batch.mask is not None:
        how["attention_mask"] = batch.mask
    hidden: torch.Tensor = (
        family.backbone(base)(
            input_ids=batch.ids, position_ids=batch.positions, use_cache=False, **how
        )
    ).last_hidden_state
    return hidden


@torch.no_grad()
def check_agreement(model: Any, family: ModelFamily) -> None:
    """Compare the logits that are trained on with the model's own, on a few tokens.

    ``model`` has no LoRA yet. It is left as it was.

    Raises ModelError where they are further apart than rounding explains.
    """
    weight = next(model.parameters())
    vocabulary = model.get_input_embeddings().weight.shape[0]
    rows = [_sample(start, n, vocabulary) for start, n in enumerate(LENGTHS)]
    training, own = model.training, model.config._attn_implementation
    model.eval()
    try:
        alone = torch.cat(
            [model(torch.tensor([row.ids], device=weight.device)).logits[0, :-1] for row in rows]
        )
        batch = collate(rows, weight.device.type, segments=family.segments)
        if family.segments:
            attention.use(model)
        hidden = hidden_states(model, batch, family).flatten(0, 1)[batch.places]
    finally:
        model.config._attn_implementation = own
        model.train(training)
    head, said = family.head(model), [family.logits(model, hidden)]
    if head is not None:
        said.append(head.shape(hidden @ head.weight.T))
    for logits in said:
        apart = (logits.float() - alone.float()).norm() / alone.float().norm()
        # False where weights are not finite: training then names the rows.
        if apart > BOUNDS.get(alone.dtype, 0.1):
            raise ModelError(
                f"the family {family.name} gives other logits than the model, {apart:.1%} apart: "
                "it would be trained wrongly; its head, logits or segments are to be mended"
            )


def _sample(start: int, length: int, vocabulary: int) -> Sample:
    # From the middle of the vocabulary: special tokens, at its ends, make 16 bits round wildly.
    ids = [(vocabulary // 3 + 101 * (start + 3 * n)) % vocabulary for n in range(length)]
    return Sample(ids, ids)
