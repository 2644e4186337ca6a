"""Which of the held-out questions the training records cover."""

from collections.abc import Sequence
from pathlib import Path

from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune.runs.stage import Stage, Work


class Coverage(Stage):
    """For each question: is it about what the training records are about."""

    name = "coverage"
    materials = ("records", "questions")
    after = ("questions",)

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file."""
        return [folder.coverage]

    def make(self, work: Work) -> None:
        """Compare them."""
        from ragtune.results.coverage import marks

        found = marks(work.materials.train, work.materials.questions)
        write_json(work.out.coverage, found.model_dump())
