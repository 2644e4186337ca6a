"""The settings of LoRA tuning, from the number and length of the rows and the model's width.

All linear layers, at about ten times the rate of full tuning, in small batches: Schulman et al.
2025, "LoRA Without Regret". What a rate of the container is worth falls by 0.85 with each epoch, so
``n`` epochs are worth ``(1 - 0.85^n) / 0.15`` at the full rate: 3 are worth 2.6, 6 are 4.2, 12 are
5.7, and any number at most 6.7. Where rows are few, steps therefore come from smaller batches, not
from more epochs.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ragtune.recipe.tune import PROJECTIONS, Tune
from ragtune.tuning.samples import Census

GAMMA = 0.85
"""The rate after each epoch, as a share of that before: llama-recipes' StepLR."""
GOAL = 120
"""Optimiser steps in all at the least, twice what `results.faults.STEPS` warns below."""
SEEN = 1200
"""Rows read in all, each epoch counted, at the least: single facts need more than a rule does."""
ENOUGH = 6000
"""Rows read in all from which more epochs are not worth their time."""
PASSES = 3
READ = 2
"""Epochs of rows with passages: what is to be learnt is in the prompt, and need not be by heart."""
EPOCHS = 12
VALIDATED = 400
"""Rows from which a part is kept back to find the best epoch.

With fewer the last epoch is kept: each row is wanted, a tenth of them measures little, and
the loss on facts that were kept back rises while the others are still being learnt.
"""
HELD = 0.1
BATCH = 4
MANY = 16
"""Rows a step where a pass over the rows takes more than `ENOUGH` of them."""
DEVICES = 4
"""Of the container's usual instance; ``tune.gradient_accumulation_steps`` counts them here."""
LEFT_OUT = 0.03
"""The share of the samples that an epoch may leave out, as `results.faults.RESIDUE` has it."""
BLOCK = 64
"""Blocks are a multiple of so many tokens."""
USUAL = 1024
"""Tokens that ``tune.max_input_length: -1`` allows."""
SLACK = 1.3
"""What a row may have more than an estimate says: 1.14 times at most in the demos' records."""
SURELY = 4
"""So many times the estimate holds any row; a recipe's length below that is one of blocks."""


@dataclass(frozen=True)
class Choice:
    """Recipe fields, dotted, with the values to fill in, and why, in one line."""

    values: dict[str, Any]
    reason: str


def choose(
    lengths: Sequence[int],
    *,
    hidden: int,
    context: int,
    promoted: bool,
    passages: int = 0,
    targets: Sequence[str] = PROJECTIONS,
    given: Mapping[str, Any] | None = None,
) -> Choice:
    """The settings for training rows of these lengths, in tokens with the prompt's words.

    A cheap estimate will do, such as a row's characters / 4: only the length of blocks and the
    number of steps in them depend on it. ``passages`` are the tokens that passages add to a row of
    tuned+rag, in none of ``lengths``. ``hidden`` is the model's width, ``context`` what it reads.
    ``targets`` are the model's linear layers, all of which are tuned.
    ``given`` are the dotted fields that the recipe sets itself: the others are chosen to suit them.

    ``promoted`` keeps the container's form: blocks, loss on every token, a validation split, and
    ``tune.gradient_accumulation_steps`` as it is, for it counts the instance's devices.
    """
    rows = max(1, len(lengths))
    own = dict(given or {})
    chosen: dict[str, Any] = {}

    def take(field: str, value: Any) -> Any:
        chosen[f"tune.{field}"] = value
        return own.get(f"tune.{field}", value)

    rate = take("learning_rate", learning_rate(hidden))
    take("target_modules", ",".join(targets))
    take("lora_dropout", 0.0)
    longest = max(lengths, default=1)
    if promoted:
        length = take("max_input_length", _rounded(longest, context))
        if passages:
            take("with_passages.max_input_length", _rounded(longest + passages, context))
        samples = max(1, sum(lengths) // max(1, length))
        form = f"the container's form, blocks of {length} tokens with loss on every one"
    else:
        longest += passages
        room = math.ceil(longest * SLACK)
        length = take("max_input_length", -1 if room <= USUAL else min(context, room))
        whole = length == -1 or "tune.max_input_length" not in own or length >= SURELY * longest
        layout = take("local.layout", "rows" if whole else "blocks")
        loss = take("local.loss", "completion")
        samples = max(1, sum(lengths) // length) if layout == "blocks" and length > 0 else rows
        form = f"{'whole rows' if layout == 'rows' else layout}, loss on {_shown(loss)}"
    share = take("validation_split_ratio", HELD if promoted or rows >= VALIDATED else 0.0)
    trained = max(1, samples - math.ceil(samples * share))
    if promoted:
        devices = own.get("tune.gradient_accumulation_steps", DEVICES)
        batch = take("per_device_train_batch_size", max(1, _batch(trained) // devices)) * devices
    else:
        batch = take("per_device_train_batch_size", _batch(trained))
        batch *= take("gradient_accumulation_steps", 1)
    steps = max(1, trained // batch)
    epochs = take("epoch", _epochs(rows, steps))
    if passages:
        take("with_passages.epoch", min(epochs, max(READ, math.ceil(GOAL / 2 / steps))))
    return Choice(
        chosen,
        f"{rows} rows in {form}; {epochs} epochs of {steps} steps of {min(batch, trained)}, "
        f"{epochs * steps} in all, at a rate of {rate:g} for a width of {hidden}",
    )


def learning_rate(hidden: int) -> float:
    """The rate of AdamW on LoRA for a model of this width, to two digits.

    5e-5 x 10 x (2000 / width) ^ 0.781: what Thinking Machines' Tinker cookbook fitted on Llamas
    with ``lora_alpha`` 32, whatever the rank (``hyperparam_utils.get_lr``, 2025; later versions
    list rates by model: 1e-3 for Llamas of 1B and 3B, 3e-4 for 8B and 70B). Widths below 384 are
    taken as 384.
    """
    return float(f"{5e-4 * (2000 / max(hidden, 384)) ** 0.781:.1e}")


def _batch(samples: int) -> int:
    """Samples a step: fewer where there would be too few steps, more where there are very many.

    Of those near `BATCH` the first that leaves hardly any sample out of an epoch.
    """
    if samples >= ENOUGH:
        return MANY
    sizes = [n for n in (BATCH, BATCH + 1, 3, 2, 1) if samples // n * EPOCHS >= GOAL] or [1]
    whole = (n for n in sizes if samples % n <= LEFT_OUT * samples)
    return next(whole, sizes[0])


def _epochs(rows: int, steps: int) -> int:
    wanted = max(GOAL / steps, min(PASSES, ENOUGH / rows), SEEN / rows)
    return max(1, min(EPOCHS, math.ceil(wanted)))


def _rounded(longest: int, context: int) -> int:
    return min(context, USUAL, math.ceil(longest * SLACK / BLOCK) * BLOCK)


def _shown(loss: str) -> str:
    return "the answers alone" if loss == "completion" else "every token"


def told(census: Census, tune: Tune) -> list[str]:
    """What will be trained on, and how, before it begins: a line each, warnings last."""
    steps = census.steps_an_epoch * tune.epoch
    of = f"{census.tokens} tokens, {census.answers} of them in answers"
    lines = [
        f"{census.rows} rows, {of} → {census.train_samples} + {census.validation_samples} samples; "
        f"longest row {census.longest}, {census.rows_cut} cut",
        f"{tune.epoch} epochs of {census.steps_an_epoch} steps, {steps} in all, at a rate of "
        f"{tune.learning_rate:g} to {tune.learning_rate * GAMMA ** (tune.epoch - 1):.2g}; loss on "
        f"{_shown(tune.local.loss)}",
    ]
    return [*lines, *(f"warning: {warning}" for warning in census.warnings)]
