"""Every figure, and the page that shows them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ragtune.core.files import write_text
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune.runs.lock import Lock
from ragtune.runs.materials import Materials
from ragtune.runs.stage import Stage, Work

if TYPE_CHECKING:
    from ragtune.results.metrics.base import Tools


class Figures(Stage):
    """``results.json`` and ``report.html``, from what all stages left."""

    name = "figures"
    fields = tuple(Recipe.model_fields)
    version = 2
    shared = False

    def __init__(self, recipe: Recipe, lock: Lock, after: Sequence[str], folder: RunFolder) -> None:
        self.recipe, self.lock, self.after = recipe, lock, tuple(after)
        self.materials = ("embedder",) if _embeds(recipe, folder) else ()

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """Results and report."""
        return [folder.results, folder.report]

    def make(self, work: Work) -> None:
        """Compute and write them."""
        from ragtune.results import page
        from ragtune.results.collect import collect
        from ragtune.results.schema import RunNotes

        notes = {
            "stages": {
                name: {"seconds": entry.seconds, "finished": entry.finished}
                for name, entry in self.lock.stages.items()
                if name in self.after
            },
            "data": self.lock.data,
            "environment": self.lock.environment(self.after),
        }

        offered = tools(self.recipe, work.run, work.materials)
        results = collect(self.recipe, work.run, RunNotes.model_validate(notes), offered)
        results.dump(work.out.results)
        write_text(work.out.report, page.render(results, work.run))


def tools(recipe: Recipe, folder: RunFolder, materials: Materials) -> "Tools":
    """What metrics of a run's answers may use: the embedder, where the deciding one needs it."""
    from ragtune.results.metrics.base import Tools

    def embed(texts: Sequence[str]) -> Sequence[Sequence[float]]:
        vectors: list[list[float]] = materials.embedder.embed_questions(texts)
        return vectors

    return Tools(embedder=embed if _embeds(recipe, folder) else None)


def _embeds(recipe: Recipe, folder: RunFolder) -> bool:
    """Whether the deciding metric needs the embedder; else a report needs the run folder alone."""
    if recipe.study.metric == "similarity":
        return True
    if recipe.study.metric != "auto" or not folder.questions.exists():
        return False
    from ragtune.results import rows
    from ragtune.results.metrics.deciding import choose
    from ragtune.results.rightness import is_unanswerable

    asked, refusals = rows.questions(folder), recipe.study.all_refusals
    answerable = [q.response for q in asked if not is_unanswerable(q, refusals)]
    responses = answerable or [q.response for q in asked]
    return choose("auto", responses, frozenset({"embedder"})).metric == "similarity"
