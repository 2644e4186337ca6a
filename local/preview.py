"""What the model reads of a training row: its text, its tokens, and which are completion."""

from typing import Any

from local.pipeline import Pipeline
from local.template import IGNORED


def preview_rows(pipeline: Pipeline, count: int) -> list[dict[str, Any]]:
    """The first ``count`` training records, rendered; nothing is written, no model is loaded."""
    shown = []
    for record in pipeline.split.train[:count]:
        context = record.context if pipeline.show_context else ""
        row = pipeline.renderer.row(record.instruction, context, record.response)
        text = pipeline.template.question(record.instruction, context)
        shown.append(
            {
                "prompt": text,
                "completion": pipeline.template.answer(record.response),
                "tokens": len(row.ids),
                "completion_tokens": row.supervised,
                "supervised": [
                    pipeline.tokenizer.convert_ids_to_tokens(i)
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
