"""The loss on the reference answers before and after tuning."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragtune.arms.ask_all import spread
from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Adapter
from ragtune.recipe.schema import Recipe
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts

MOST = 40
"""Questions whose references are looked at, spread evenly over all."""


class Heldout(Stage):
    """Held-out loss of base and of each adapter, in nats a token, in the adapter's prompts."""

    name = "heldout"
    fields = (*parts.PROMPT, *parts.ANSWERS)
    materials = ("base",)

    def __init__(self, recipe: Recipe) -> None:
        self.passages: dict[Adapter, bool] = {
            name: recipe.trains_with_passages(name) and name == "tuned+rag"
            for name in recipe.adapters
        }
        shown = ("retrieval",) if any(self.passages.values()) else ()
        self.after = ("questions", *shown, *(f"tune/{name}" for name in self.passages))

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file, an entry an adapter."""
        return [folder.heldout]

    def make(self, work: Work) -> None:
        """Measure base and each adapter."""
        losses = {name: self._losses(work, name) for name in self.passages}
        write_json(work.out.heldout, losses)

    def _losses(self, work: Work, name: Adapter) -> dict[str, Any]:
        from ragtune.results.heldout import completion_loss

        questions = parts.questions(work)
        found = parts.found(work.run.retrieval) if self.passages[name] else [[] for _ in questions]
        asked = spread(list(zip(questions, found, strict=True)), MOST)
        losses: dict[str, Any] = {}
        for side, adapter in (("base", None), ("tuned", work.run.adapter(name))):
            with work.watcher.progress(f"held-out loss: {side} for {name}") as advance:
                measured = completion_loss(
                    parts.engine(work, adapter),
                    parts.form(work),
                    [question for question, _ in asked],
                    [[passage.text for passage in passages] for _, passages in asked],
                    show_context=parts.shows_context(work),
                    advance=advance,
                )
            losses[side] = measured.mean
            losses["tokens"] = measured.tokens
        return losses
