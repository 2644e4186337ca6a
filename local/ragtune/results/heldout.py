"""Held-out loss: how surprised a model is by the reference answers."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ragtune.prompts.instruct import IGNORED, Renderer
from ragtune.sources.records import Record
from ragtune.tuning.samples import Sample

if TYPE_CHECKING:
    import torch


def completion_loss(
    model: Any,
    tokenizer: Any,
    renderer: Renderer,
    records: Sequence[Record],
    limit: int,
    *,
    show_context: bool,
    batch_size: int = 16,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, float | int]:
    """Mean negative log-likelihood of the held-out completions, EOS included, per token, in nats.

    Prompts are those of the arms without passages. A row longer than ``limit`` keeps its end: the
    completion stays whole, and the prompt gives way as it does for an answer.
    """
    rows = sorted(
        (_row(renderer, r, limit, show_context) for r in records), key=lambda s: -len(s.ids)
    )
    total, tokens = 0.0, 0
    for start in range(0, len(rows), batch_size):
        batch = rows[start : start + batch_size]
        loss, count = batch_loss(model, collate(batch, tokenizer.pad_token_id))
        total, tokens = total + loss, tokens + count
        advance(start + len(batch), len(rows))
    return {"loss": total / tokens, "tokens": tokens, "completions": len(rows)}


def collate(batch: Sequence[Sample], pad: int) -> dict[str, "torch.Tensor"]:
    """Stack samples, padded on the right; a mask is given only where something was padded."""
    import torch

    width = max(len(s.ids) for s in batch)
    gaps = [width - len(s.ids) for s in batch]
    tensors = {
        "input_ids": torch.tensor([s.ids + [pad] * g for s, g in zip(batch, gaps, strict=True)]),
        "labels": torch.tensor(
            [s.labels + [IGNORED] * g for s, g in zip(batch, gaps, strict=True)]
        ),
    }
    if any(gaps):
        tensors["attention_mask"] = torch.tensor(
            [[1] * len(s.ids) + [0] * g for s, g in zip(batch, gaps, strict=True)]
        )
    return tensors


def _row(renderer: Renderer, record: Record, limit: int, show_context: bool) -> Sample:
    own = record.context if show_context else ""
    row = renderer.row(record.instruction, own, record.response)
    if len(row.ids) <= limit:
        return Sample(row.ids, row.labels)
    completion = [label for label in row.labels if label != IGNORED][: limit // 2]
    prompt = renderer.prompt(record.instruction, own, limit=limit - len(completion)).ids
    return Sample(prompt + completion, [IGNORED] * len(prompt) + completion)


def batch_loss(model: Any, batch: dict[str, Any]) -> tuple[float, int]:
    """The summed loss over a batch's supervised tokens, and how many there are."""
    import torch

    inputs = {name: tensor.to(model.device) for name, tensor in batch.items() if name != "labels"}
    targets = batch["labels"][:, 1:].to(model.device)
    with torch.inference_mode():
        hidden = model.model(**inputs).last_hidden_state[:, :-1]
        chosen = targets != IGNORED
        logits = model.lm_head(hidden[chosen]).float()
        loss = torch.nn.functional.cross_entropy(logits, targets[chosen], reduction="sum")
    return float(loss), int(chosen.sum())
