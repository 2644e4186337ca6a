"""The settings of LoRA tuning, from the number and length of the rows and the model's width.

Rate: 10 times what full tuning takes (Schulman et al. 2025, "LoRA Without Regret"), which for
Llamas is 5e-5 x (2000 / width) ^ 0.781 (Thinking Machines' Tinker cookbook, October 2025). All
linear layers, after the same. Epochs: see ``choose``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

GOAL = 120
"""Optimiser steps in all that few rows get, as far as `EPOCHS` allows."""
EPOCHS = 20
"""More are not worth while: the container's rate falls by 0.85 each, to a twentieth by then."""
PASSES = 3
"""Epochs where the rows are enough."""
MANY = 5000
"""Rows from which one epoch is enough."""
VALIDATED = 400
"""Rows from which a part is kept back to find the best epoch."""
LINEAR = "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj"
BLOCK = 128


@dataclass(frozen=True)
class Choice:
    """Recipe fields, dotted, with the values to fill in, and why, in one line."""

    values: dict[str, Any]
    reason: str


def choose(
    lengths: Sequence[int], *, hidden: int, context: int, promoted: bool, passages: bool
) -> Choice:
    """The settings for training rows of these lengths, in tokens with the template's.

    A cheap estimate will do: a row's characters / 4 (sentences) or / 3 (codes, names), and what
    the template and, where ``passages`` are shown, these add. ``hidden`` is the model's width,
    ``context`` what it reads. ``promoted`` keeps the container's form: blocks, every token trained
    on. An empty ``lengths`` is taken as one row.
    """
    rows = max(1, len(lengths))
    longest = max(lengths, default=1)
    rate = learning_rate(hidden)
    values: dict[str, Any] = {
        "tune.learning_rate": rate,
        "tune.target_modules": LINEAR,
        "tune.gradient_accumulation_steps": 1,
        "tune.lora_dropout": 0.0,
    }
    if promoted:
        block = min(context, max(BLOCK, longest))
        samples = max(1, sum(lengths) // block)
        form = f"blocks of {block} tokens, loss on every token, as the container trains"
        values["tune.max_input_length"] = block
    else:
        samples = rows
        form = "whole rows, loss on the answers"
        values["tune.max_input_length"] = -1
        values["tune.local.layout"] = "rows"
        values["tune.local.loss"] = "completion"
    share = 0.1 if rows >= VALIDATED else 0.0
    trained = max(1, samples - math.ceil(samples * share))
    batch = 4 if trained < MANY else 16
    while batch > 1 and trained // batch * EPOCHS < GOAL:
        batch //= 2
    steps = max(1, trained // batch)
    passes = 1 if rows >= MANY else PASSES
    epochs = min(EPOCHS, max(passes, math.ceil(GOAL / steps)))
    values["tune.per_device_train_batch_size"] = batch
    values["tune.validation_split_ratio"] = share
    values["tune.epoch"] = epochs
    return Choice(
        values,
        f"{rows} rows: {form}; {epochs} x {steps} steps of {batch} at {rate:g}",
    )


def learning_rate(hidden: int) -> float:
    """The rate for a model of this width, to two digits."""
    return float(f"{5e-4 * (2000 / hidden) ** 0.781:.1e}")
