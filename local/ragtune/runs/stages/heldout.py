"""The loss on the reference answers before and after tuning."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts


class Heldout(Stage):
    """Held-out loss of base and tuned, in nats a token."""

    name = "heldout"
    fields = parts.PROMPT
    materials = ("base",)
    after = ("questions", "tune")

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file."""
        return [folder.heldout]

    def make(self, work: Work) -> None:
        """Measure both."""
        from ragtune.results.heldout import completion_loss

        losses: dict[str, Any] = {}
        for side, adapter in (("base", None), ("tuned", work.run.adapter)):
            with work.watcher.progress(f"held-out loss: {side}") as advance:
                measured = completion_loss(
                    parts.engine(work, adapter),
                    parts.form(work),
                    parts.questions(work),
                    show_context=parts.shows_context(work),
                    advance=advance,
                )
            losses[side] = measured.mean
            losses["tokens"] = measured.tokens
        write_json(work.out.heldout, losses)
