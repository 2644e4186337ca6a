"""Questions whose gold cannot be found, whatever the search."""

from collections.abc import Sequence
from pathlib import Path

from ragtune.core.files import read_json, write_json
from ragtune.core.run_folder import RunFolder
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts
from ragtune.sources import gold


class Gold(Stage):
    """The questions with gold documents that do not exist, or evidence that is not in them."""

    name = "gold"
    materials = ("documents",)
    after = ("questions", "index")

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file."""
        return [folder.gold]

    def make(self, work: Work) -> None:
        """Look for the documents among those of the index, and for the evidence in their text."""
        questions, corpus = parts.questions(work), work.materials.corpus
        known = frozenset(read_json(work.run.manifest)["documents"])
        absent = gold.absent_evidence(
            questions, known, lambda name: "\n".join(d.text for d in corpus.read(name))
        )
        found = {
            "unknown": [q.id for q in questions if not gold.is_known(q, known)],
            "absent": [questions[one.record].id for one in absent],
        }
        write_json(work.out.gold, found)
