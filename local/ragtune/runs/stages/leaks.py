"""Near-duplicates between the training records and the held-out questions."""

from collections.abc import Sequence
from pathlib import Path

from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts
from ragtune.sources import leaks

MOST = 5000
"""Records and questions that are embedded; of more, only words are compared."""


class Leaks(Stage):
    """Questions that a training record all but asks; by embeddings too, where there is a search.

    A study of more than `MOST` is compared by words alone.
    """

    name = "leaks"
    fields = ("records.context",)
    materials: tuple[str, ...] = ("records", "questions")

    def __init__(self, *, embeds: bool) -> None:
        self.embeds = embeds
        if embeds:
            self.materials = ("records", "questions", "embedder")

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file."""
        return [folder.leaks]

    def make(self, work: Work) -> None:
        """Compare every question with every record."""
        import numpy as np

        train, test = work.materials.train, work.materials.questions
        shown, vectors = parts.shows_context(work), None
        if self.embeds and len(train) + len(test) <= MOST:
            known, asked = (
                np.array(
                    work.materials.embedder.known([r.query(with_context=shown) for r in side]),
                    dtype=np.float32,
                )
                for side in (train, test)
            )
            vectors = known, asked
        found = leaks.find(train, test, with_context=shown, vectors=vectors)
        write_json(work.out.leaks, found.to_json(train, test))
