"""The passages found for each held-out question."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ragtune.core.files import write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts


class Retrieval(Stage):
    """A search for every question."""

    name = "retrieval"
    fields = (*parts.SEARCH, "records.context")
    materials = parts.SEARCHED
    after = ("questions", "index")

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file, a line a question."""
        return [folder.retrieval]

    def make(self, work: Work) -> None:
        """Search."""
        questions, shown = parts.questions(work), parts.shows_context(work)
        with parts.retriever(work) as retriever:
            found = retriever.search([q.query(with_context=shown) for q in questions])
        rows = [
            {"question": q.id, "passages": [asdict(p) for p in passages]}
            for q, passages in zip(questions, found, strict=True)
        ]
        write_jsonl(work.out.retrieval, rows)
