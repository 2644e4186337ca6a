"""Whether what a family says of a model is true of it, looked at before training.

A soft cap, a scale or a sliding window that is left out changes no shape and raises nothing: the
model would be trained on another loss than its own, in silence.
"""

import math
from typing import Any

import torch

from ragtune.core.errors import ModelError
from ragtune.models.families.base import ModelFamily
from ragtune.tuning.batches import Batch, collate
from ragtune.tuning.kernels import attention
from ragtune.tuning.samples import Sample

LENGTHS = (6, 10)
"""Rows that are read side by side, or padded, and each alone."""
HEAD, ISOLATION, BACKBONE = (1e-4, 0.01), (1e-4, 0.1), (1e-3, math.inf)
"""How far apart the numbers of a token may be, as a share of their norm, in fp32 and in 16 bits.

The head is one product: a cap of 30 on logits of 6 makes 1.3 %. A row beside another one is the
same computation whatever the other says, so it differs by nothing in dense models. Two kernels
round otherwise, and in 16 bits deep models add that up, in SmolLM2 to 19 %: nothing is said then.
"""


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
    """Compare what is trained on with what the model computes by itself, on a few tokens.

    The head: logits of the model's own hidden states. Without segments: that a token sees none of
    those that follow it. Isolation: a row's hidden states beside one
    row and beside another. In fp32 also these hidden states with those of the row alone. ``model``
    has no LoRA yet; it is left as it was.

    Raises ModelError where they are further apart than rounding explains.
    """
    device = next(model.parameters()).device
    vocabulary = model.get_input_embeddings().weight.shape[0]
    first, other = (_row(start, LENGTHS[0], vocabulary) for start in (0, 7))
    second = _row(1, LENGTHS[1], vocabulary)
    training, attends = model.training, model.config._attn_implementation
    backbone = family.backbone(model)
    model.eval()
    try:
        ids = torch.tensor([second.ids], device=device)
        logits = model(ids, use_cache=False).logits[0, :-1]
        if not family.segments:  # attention by segments looks at nothing that follows
            ids[0, -1] = first.ids[0]
            _check_causal(family, model(ids, use_cache=False).logits[0, :-1], logits)
            ids[0, -1] = second.ids[-1]
        alone = backbone(ids, use_cache=False).last_hidden_state[0, :-1]
        if family.segments:
            attention.use(model)
        beside, again = (
            _last(hidden_states(model, batch, family), batch)
            for batch in (
                collate([row, second], device.type, segments=family.segments)
                for row in (first, other)
            )
        )
    finally:
        model.config._attn_implementation = attends
        model.train(training)
    _compare("head or logits", family, family.logits(model, alone), logits, HEAD)
    if (head := family.head(model)) is not None:
        _compare("head", family, head.shape(alone @ head.weight.T), logits, HEAD)
    _compare("segments", family, again, beside, ISOLATION)
    _compare("backbone or segments", family, beside, alone, BACKBONE)


def _check_causal(family: ModelFamily, found: torch.Tensor, expected: torch.Tensor) -> None:
    if not torch.isfinite(expected).all():
        return  # training then names the rows
    if (found - expected).norm() > ISOLATION[expected.dtype != torch.float32] * expected.norm():
        raise ModelError(
            f"a {family.name} whose tokens see those that follow: it would learn to copy; allowed: "
            "causal language models"
        )


def _last(hidden: torch.Tensor, batch: Batch) -> torch.Tensor:
    """The hidden states of the second row that predict something."""
    return hidden.flatten(0, 1)[batch.places][LENGTHS[0] - 1 :]


def _compare(
    what: str,
    family: ModelFamily,
    found: torch.Tensor,
    expected: torch.Tensor,
    bounds: tuple[float, float],
) -> None:
    apart = (found.float() - expected.float()).norm(dim=1) / expected.float().norm(dim=1)
    typical = float(apart.median())  # in 16 bits a single token can be far off
    # False where weights are not finite: training then names the rows.
    if typical > bounds[expected.dtype != torch.float32]:
        raise ModelError(
            f"the family {family.name} gives other numbers than the model, {typical:.1%} apart: it "
            f"would be trained wrongly; mend the family's {what}"
        )


def _row(start: int, length: int, vocabulary: int) -> Sample:
    ids = [(start + 3 * n) % vocabulary for n in range(length)]
    return Sample(ids, ids)
