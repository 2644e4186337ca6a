"""The held-out questions, as they are asked."""

from collections.abc import Sequence
from pathlib import Path

from ragtune.core.files import write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.runs.stage import Stage, Work


class Questions(Stage):
    """The held-out questions with their references."""

    name = "questions"
    materials = ("questions",)

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file."""
        return [folder.questions]

    def make(self, work: Work) -> None:
        """Write them down."""
        write_jsonl(work.out.questions, [r.to_json() for r in work.materials.questions])
