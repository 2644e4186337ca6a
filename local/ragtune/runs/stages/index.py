"""The index: brought up to date with its documents, in place."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragtune.core.errors import RunError
from ragtune.core.files import digest
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune.retrieval.manifest import FORMAT, Manifest
from ragtune.retrieval.stores.base import EMBEDDED
from ragtune.runs.lock import Output
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages.parts import CHUNKS


class Index(Stage):
    """Documents → chunks → vectors in Qdrant.

    ``changes`` holds what the last making found different, empty where nothing was made.
    """

    name = "index"
    version = FORMAT
    fields = (*CHUNKS, "rag.qdrant")
    materials = ("documents", "embedder")
    in_place = True

    def __init__(self, recipe: Recipe, *, rebuild: bool = False) -> None:
        self.shared = recipe.rag.qdrant == EMBEDDED  # a server's collection is one run's own
        self.rebuild = rebuild
        self.changes: dict[str, Any] = {}

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """The store and its manifest."""
        return [folder.index]

    def make(self, work: Work) -> None:
        """Bring the index up to date; rebuild it where what is there was damaged."""
        from ragtune.retrieval import index

        materials = work.materials
        fingerprint = materials.embedder_fingerprint
        with work.watcher.progress("index") as advance:
            found = index.update(
                materials.corpus,
                work.recipe.rag,
                materials.embedder,
                fingerprint=fingerprint,
                folder=work.out.index,
                rebuild=self.rebuild or work.damaged or of_another_version(work.out.index),
                advance=advance,
            )
        self.changes = found.to_json()
        work.watcher.say(f"documents: {found}")

    def copy(self, source: RunFolder, target: RunFolder) -> None:
        """Copy another run's index, held meanwhile so that nobody updates it."""
        from ragtune.retrieval import index

        target.path.mkdir(parents=True, exist_ok=True)
        index.copy(source.index, target.index)

    def outcome(self, inputs: dict[str, Any], outputs: dict[str, Output]) -> str:
        """What it was made from: the bytes of a store depend on the order of its updates."""
        return digest(inputs)

    @staticmethod
    def left_out(folder: RunFolder) -> dict[str, str]:
        """What the index in a run folder does not hold of its documents, with the reasons."""
        manifest = Manifest.load(folder.index)
        if manifest is None:
            return {}
        return manifest.skipped | {f"of {name}": what for name, what in manifest.parts.items()}


def of_another_version(folder: Path) -> bool:
    """Whether an index is there that this version of ragtune does not add to."""
    try:
        manifest = Manifest.load(folder)
    except RunError:
        return True
    return manifest is not None and manifest.settings.get("format") != FORMAT
