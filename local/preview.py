"""What the model reads of a training row: its text, its tokens, and which are completion."""

from typing import Any

from local.template import IGNORED
from local.workbench import Workbench


def preview_rows(bench: Workbench, count: int) -> list[dict[str, Any]]:
    """The first ``count`` training records, rendered; nothing is written, no model is loaded."""
    shown = []
    for record in bench.split.train[:count]:
        context = record.context if bench.show_context else ""
        row = bench.renderer.row(record.instruction, context, record.response)
        text = bench.template.question(record.instruction, context)
        shown.append(
            {
                "prompt": text,
                "completion": bench.template.answer(record.response),
                "tokens": len(row.ids),
                "completion_tokens": row.supervised,
                "supervised": [
                    bench.tokenizer.convert_ids_to_tokens(i)
                    for i, label in zip(row.ids, row.labels, strict=True)
                    if label != IGNORED
                ],
            }
        )
    return shown


def show(rows: list[dict[str, Any]]) -> str:
    """The rows for a terminal."""
    return "\n\n".join(
        f"--- row {n}: {row['tokens']} tokens, {row['completion_tokens']} of them completion\n"
        f"{row['prompt']}{row['completion']}\n"
        f"--- completion tokens: {' '.join(row['supervised'])}"
        for n, row in enumerate(rows, 1)
    )
