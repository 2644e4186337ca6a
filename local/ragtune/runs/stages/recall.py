"""What an adapter answers to questions that it was trained on: the proof that it was trained."""

from collections.abc import Sequence
from pathlib import Path

from ragtune.core.files import read_jsonl, write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Adapter
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts
from ragtune.sources.records import Record

MOST = 50
"""Training rows that are asked, spread evenly over all."""


class Recall(Stage):
    """An adapter's answers to its own training rows, in the prompts that it was trained on."""

    fields = ("template", *parts.ANSWERS, "study.max_new_tokens", "study.batch_size")
    materials = ("base",)

    def __init__(self, adapter: Adapter) -> None:
        self.adapter, self.name = adapter, f"recall/{adapter}"
        self.after = (f"data/{adapter}", f"tune/{adapter}")

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file, a line a row."""
        return [folder.recall(self.adapter)]

    def make(self, work: Work) -> None:
        """Ask."""
        from ragtune.arms.ask_all import spread

        rows = spread(read_jsonl(work.run.train_rows(self.adapter)), MOST)
        engine, form = parts.engine(work, work.run.adapter(self.adapter)), parts.form(work)
        limit, size = work.recipe.study.max_new_tokens, work.recipe.study.batch_size
        room = engine.context_length - limit
        prompts = [form.prompt(row["instruction"], row["context"], limit=room) for row in rows]
        with work.watcher.progress(self.name) as advance:
            written = engine.complete(
                prompts, limit=limit, stops=form.stops, batch_size=size, advance=advance
            )
        lines = [
            {
                "question": Record(row["instruction"], row["response"]).to_json(),
                "text": form.response(completion.text),
            }
            for row, completion in zip(rows, written, strict=True)
        ]
        write_jsonl(work.out.recall(self.adapter), lines)
