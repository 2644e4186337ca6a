"""What is trained on: rows as text, their tokens, which of them count, and where blocks end."""

from typing import Any

from ragtune.prompts.base import IGNORED
from ragtune.runs.workbench import Workbench

BLOCK_END = "‖"


def preview_rows(bench: Workbench, count: int) -> list[dict[str, Any]]:
    """The first ``count`` training rows, without passages; no model is loaded, nothing written.

    ``trained_on`` are the tokens that the loss is taken on; ``blocks_begin`` the tokens of the
    row, from 0, at which packing begins another block.
    """
    spec, length = bench.recipe.tune, bench.sample_length
    packs = spec.local.layout == "blocks"
    shown, before = [], 0
    for given in bench.training_rows(bench.split.train, passages=False)[:count]:
        instruction, context, response = (
            given[name] for name in ("instruction", "context", "response")
        )
        row = bench.format.row(instruction, context, response, None if packs else length)
        tokens = bench.tokenizer.convert_ids_to_tokens(row.ids)
        everything = spec.local.loss == "all"
        shown.append(
            {
                "prompt": bench.format.question(instruction, context),
                "completion": bench.format.answer(response),
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
