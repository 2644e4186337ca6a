"""A recipe's run from its first stage to its figures.

Models are loaded when the first stage needs them, so a run whose stages are all made costs
nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ragtune.core import moves
from ragtune.core.errors import RecipeError
from ragtune.core.files import content_hash, read_json, write_text
from ragtune.core.progress import Silent, Watcher
from ragtune.recipe import file as recipe_file
from ragtune.recipe.arms import Adapter
from ragtune.recipe.schema import Recipe
from ragtune.results.schema import Results
from ragtune.retrieval.manifest import Manifest
from ragtune.runs import check, defaults, environment
from ragtune.runs.materials import Materials
from ragtune.runs.plan import named, plan, tunes, tuning
from ragtune.runs.room import require_room
from ragtune.runs.run import Run
from ragtune.runs.stage import Stage
from ragtune.runs.stages.figures import Figures
from ragtune.runs.stages.index import Index
from ragtune.runs.worker import refuse_too_many
from ragtune.sources.records import Record


class Pipeline:
    """The stages that make a run folder from a recipe."""

    def __init__(self, recipe: Recipe, folder: Path, watcher: Watcher | None = None) -> None:
        self.recipe, self.watcher = recipe, watcher or Silent()
        self.run = Run(folder, self.watcher)
        self.materials = Materials(recipe)

    def execute(self) -> Results:
        """Make every stage that is not made already; return the figures.

        Raises RagtuneError for whatever in the recipe's data or models cannot be used: all of it
        is checked before the folder is made.
        """
        check.everything(self.recipe, self.materials)
        stages = plan(self.recipe)
        require_room(self.recipe, self.materials, self.run.folder, index=False)
        with self.run:
            self._begin()
            self._make(stages)
            return figures(self.recipe, self.materials, self.run, stages)

    def tune(self, processes: int = 1) -> dict[Adapter, dict[str, Any]]:
        """Make the adapters and what they need, and nothing else; what training each came to.

        Several processes share the samples of each step.

        Raises RagtuneError as ``execute`` does.
        """
        if self.recipe.model.remote:
            raise RecipeError(
                f"model.engine: {self.recipe.model.engine} tunes nothing; tune the model here with "
                "model.engine: torch"
            )
        refuse_too_many(processes)
        check.everything(self.recipe, self.materials)
        if not tunes(self.recipe):
            raise RecipeError("study.arms: none of them is tuned; add tuned or tuned+rag")
        stages = tuning(self.recipe, processes)
        if not any(Index.name in stage.after for stage in stages):
            stages = [stage for stage in stages if stage.name != Index.name]
        require_room(self.recipe, self.materials, self.run.folder, index=False)
        with self.run:
            self._begin()
            self._make(stages)
        folder = self.run.folder
        return {name: dict(read_json(folder.training(name))) for name in self.recipe.adapters}

    def index(self, *, rebuild: bool = False) -> dict[str, Any]:
        """Bring the index alone up to date with its documents; return what it holds then.

        ``rebuild`` makes it from nothing, whatever is there.

        Raises RagtuneError as ``execute`` does.
        """
        check.retrieval(self.recipe, self.materials)
        stage = Index(self.recipe, rebuild=rebuild)
        require_room(self.recipe, self.materials, self.run.folder, index=True)
        with self.run:
            self._sign()
            self._make([stage], again=rebuild)
            held = Manifest.load(self.run.folder.index)
        assert held is not None
        return {
            "run": str(self.run.folder),
            **({"changes": stage.changes} if stage.changes else {}),
            "documents": len(held.documents),
            "chunks": held.points,
            "skipped": held.skipped,
        }

    def _make(self, stages: Sequence[Stage], *, again: bool = False) -> None:
        for stage in stages:
            made = self.run.make(
                stage,
                self.recipe,
                self.materials,
                environment=lambda: environment.describe(self.materials.hardware),
                again=again,
            )
            self.watcher.say(f"{stage.name}: {made.how}, {made.seconds:.1f} s")
            if isinstance(stage, Index):
                for name, reason in stage.left_out(self.run.folder).items():
                    self.watcher.say(f"documents: left out {name}: {reason}")

    def _sign(self) -> None:
        """Write what says of the folder which recipe it belongs to."""
        folder = self.run.folder
        write_text(folder.recipe, recipe_file.dump(self.recipe))
        self.run.note(
            identity=self.recipe.identity,
            recipe=content_hash(folder.recipe),
            recipe_folder=moves.relative(self.recipe.path("."), folder.path),
        )

    def _begin(self) -> None:
        for line in defaults.summary(self.recipe):
            self.watcher.say(line)
        split = self.materials.split
        self._sign()
        self.run.note(
            data={
                "train": len(split.train),
                "test": len(split.test),
                "reviewed": reviewed(split.test),
                "bad_lines": [str(b) for b in split.bad],
                "questions_also_in_training": len(split.leaked),
                "division": asdict(split.division) if split.division else None,
            },
        )
        for bad in split.bad[:5]:
            self.watcher.say(f"records: left out {bad}")


def reviewed(questions: Sequence[Record]) -> int | None:
    """How many of them a person kept; None where none of them says anything of that."""
    said = [one.reviewed for one in questions if one.reviewed is not None]
    return sum(said) if said else None


def figures(recipe: Recipe, materials: Materials, run: Run, stages: Sequence[Stage]) -> Results:
    """Compute every figure from what the stages left; write ``results.json`` and the report."""
    stage = Figures(recipe, run.lock, named(stages), run.folder)
    run.make(stage, recipe, materials, environment=lambda: {}, again=True)
    return Results.load(run.folder.results)
