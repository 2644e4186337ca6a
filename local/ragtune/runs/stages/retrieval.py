"""The passages found for each held-out question."""

from collections.abc import Sequence
from pathlib import Path

from ragtune.core.run_folder import RunFolder
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts
from ragtune.runs.stages.records import write_found


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
        with parts.retriever(work) as retriever:
            write_found(work, retriever, work.out.retrieval)
