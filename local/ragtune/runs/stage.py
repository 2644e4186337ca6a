"""A stage of a run: what it reads, what it leaves, and how it is made.

A stage declares the recipe fields that it reads, the materials outside the run folder, and the
stages whose outputs it reads. Its inputs follow from that alone: they are its key, and they say
why it is made again.
"""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragtune.core.files import copy_tree, digest
from ragtune.core.progress import Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune.runs.lock import Entry, Lock, Output
from ragtune.runs.materials import Materials
from ragtune.runs.view import values


@dataclass(frozen=True)
class Work:
    """What a stage is made with.

    Of ``recipe`` and ``materials`` only what the stage declares can be read. ``run`` holds what
    the stages before it left; ``out`` is where it writes: a scratch folder, which may hold what an
    interrupted call with the same inputs left there. ``damaged`` says that the stage's outputs of
    before are not as they were left, so that nothing can be built upon them.
    """

    recipe: Recipe
    materials: Materials
    run: RunFolder
    out: RunFolder
    watcher: Watcher
    damaged: bool = False


class Stage(ABC):
    """One stage; instances are made for a recipe by ``runs.plan``."""

    name: str
    version: int = 1
    """Part of the key; raised when what the stage computes changes."""
    fields: tuple[str, ...] = ()
    """Recipe fields and sections that it reads, by their dotted names."""
    materials: tuple[str, ...] = ()
    """What it reads of the world outside the run folder; see ``runs.materials``."""
    after: tuple[str, ...] = ()
    """Stages whose outputs it reads."""
    in_place = False
    """It brings its outputs in the run folder up to date and survives a kill by its own means."""
    shared = True
    """What another run of the same recipe name has made from the same inputs may be copied."""

    @abstractmethod
    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """Files and folders that it leaves."""

    @abstractmethod
    def make(self, work: Work) -> None:
        """Write the outputs into ``work.out``."""

    def copy(self, source: RunFolder, target: RunFolder) -> None:
        """Copy the outputs of another run into a scratch folder."""
        for old, new in zip(self.outputs(source), self.outputs(target), strict=True):
            new.parent.mkdir(parents=True, exist_ok=True)
            if old.is_dir():
                copy_tree(old, new)
            else:
                shutil.copy2(old, new)

    def outcome(self, inputs: dict[str, Any], outputs: dict[str, Output]) -> str:
        """What the stages after it depend on: the content of its outputs."""
        return digest({name: output.sha256 for name, output in outputs.items()})


def inputs(stage: Stage, recipe: Recipe, materials: Materials, lock: Lock) -> dict[str, Any]:
    """All that decides what a stage would leave now, flat.

    Raises RagtuneError for a material that is missing or broken.
    """
    return {
        **_known(stage, recipe, lock),
        **{name: materials.fingerprint(name) for name in stage.materials},
    }


def outdated(stage: Stage, recipe: Recipe, lock: Lock) -> bool:
    """Whether a stage that was made reads another recipe, or other outputs, than there are now.

    Nothing outside the run folder is looked at.
    """
    made = lock.stages[stage.name].inputs
    known = _known(stage, recipe, lock)
    beside = {name: made.get(name) for name in stage.materials}
    return made != {**known, **beside}


def changes(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Name the inputs that differ, with their values where they are short."""
    names = [n for n in {**before, **now} if before.get(n) != now.get(n)]
    shown = [
        f"{n} {before.get(n)} → {now.get(n)}" if len(f"{before.get(n)}{now.get(n)}") < 40 else n
        for n in names
    ]
    return f"changed: {', '.join(shown)}"


def _known(stage: Stage, recipe: Recipe, lock: Lock) -> dict[str, Any]:
    entries: dict[str, Entry] = lock.stages
    return {
        "version": stage.version,
        **values(recipe, stage.fields),
        **{
            f"stage {name}": entries[name].outcome if name in entries else None
            for name in stage.after
        },
    }
