"""The score below which nothing found is good enough, from the training questions."""

from collections.abc import Sequence
from pathlib import Path

from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts


class Threshold(Stage):
    """Calibrates ``rag.refuse_below``."""

    name = "threshold"
    fields = (*parts.SEARCH, "records.context", "seed")
    materials = ("records", *parts.SEARCHED)
    after = ("index",)

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file."""
        return [folder.threshold]

    def make(self, work: Work) -> None:
        """Search for training questions, with and without their gold documents."""
        from ragtune.retrieval.threshold import calibrate

        with parts.retriever(work) as retriever:
            found = calibrate(
                retriever,
                work.materials.train,
                work.recipe.seed,
                with_context=parts.shows_context(work),
            )
        work.watcher.say(
            f"threshold: below {found.below:.4f}; of {found.questions} training questions it "
            f"refuses {found.wrongly:.0%}, and {found.rightly:.0%} without their gold document"
        )
        write_json(work.out.threshold, found.to_json())
