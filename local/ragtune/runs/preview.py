"""What is trained on: rows as text, their tokens, which of them count, and where blocks end."""

from typing import Any

from ragtune.core.errors import ModelError
from ragtune.prompts.base import IGNORED
from ragtune.prompts.registry import format_of
from ragtune.recipe.schema import Recipe
from ragtune.runs.materials import Materials

BLOCK_END = "‖"


def preview_rows(recipe: Recipe, count: int) -> list[dict[str, Any]]:
    """The first ``count`` training rows, without passages; no model is loaded, nothing written.

    ``trained_on`` are the tokens that the loss is taken on; ``blocks_begin`` the tokens of the
    row, from 0, at which packing begins another block.
    """
    from ragtune.tuning.rows import training_rows
    from ragtune.tuning.samples import block_length, rendered_row

    materials, spec = Materials(recipe), recipe.tune
    tokenizer = materials.tokenizer
    if tokenizer is None:
        raise ModelError(
            f"model.local: rows are rendered by the model's tokenizer, and {recipe.model.engine} "
            "has the only one; name the model here as well"
        )
    form = format_of(recipe.template.build(), tokenizer)
    length = block_length(spec, tokenizer, materials.context_length)
    packs = spec.local.layout == "blocks"
    shown, before = [], 0
    rows = training_rows(materials.train, recipe.records, form, seed=recipe.seed)
    for given in rows[:count]:
        row = rendered_row(form, given, None if packs else length)
        tokens = tokenizer.convert_ids_to_tokens(row.ids)
        everything = spec.local.loss == "all"
        shown.append(
            {
                "prompt": form.question(given["instruction"], given["context"]),
                "completion": form.answer(given["response"]),
                "tokens": tokens,
                "completion_tokens": row.supervised,
                "trained_on": [
                    n for n, label in enumerate(row.labels) if everything or label != IGNORED
                ],
                "blocks_begin": [
                    n
                    for n in range(len(tokens))
                    if packs and n + before and not (n + before) % length
                ],
            }
        )
        before += len(tokens)
    return shown


def show(rows: list[dict[str, Any]]) -> str:
    """The rows for a terminal."""
    return "\n\n".join(
        f"--- row {n}: {len(row['tokens'])} tokens, {row['completion_tokens']} of them completion, "
        f"{len(row['trained_on'])} trained on\n"
        f"{row['prompt']}{row['completion']}\n"
        f"--- trained on ({BLOCK_END} a block ends): {_trained_on(row)}"
        for n, row in enumerate(rows, 1)
    )


def _trained_on(row: dict[str, Any]) -> str:
    begin = set(row["blocks_begin"])
    return " ".join(
        f"{BLOCK_END} {row['tokens'][n]}" if n in begin else row["tokens"][n]
        for n in row["trained_on"]
    )
