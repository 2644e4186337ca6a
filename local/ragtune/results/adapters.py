"""What a run measured of each adapter: training, losses, and whether it learnt its own rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from ragtune.core.files import read_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Adapter
from ragtune.recipe.schema import Recipe
from ragtune.results import rows
from ragtune.results.diagnosis import Tuned
from ragtune.results.rightness import is_right, labels
from ragtune.results.rows import Recalled
from ragtune.results.schema import Forgetting, HeldoutLoss, Recall, Training

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Measured:
    """The measurements by adapter; one that was not made is not there."""

    training: dict[Adapter, Training]
    heldout: dict[Adapter, HeldoutLoss]
    forgetting: dict[Adapter, Forgetting]
    recall: dict[Adapter, Recall]

    def tuned(self, recipe: Recipe, *, by_rightness: bool) -> dict[Adapter, Tuned]:
        """What faults are looked for in; recall counts where rightness decides."""
        asked = recipe.tune.validation_split_ratio > 0
        return {
            name: Tuned(
                arms=tuple(recipe.served(name)),
                training=self.training.get(name),
                heldout=self.heldout.get(name),
                recall=self.recall.get(name) if by_rightness else None,
                validates=asked,
            )
            for name in recipe.adapters
        }


def measured(recipe: Recipe, folder: RunFolder) -> Measured:
    """What the stages of each adapter left.

    Raises RunError where a file is broken.
    """
    names, refusals = recipe.adapters, recipe.study.all_refusals
    return Measured(
        training={
            name: Training.model_validate(read_json(folder.training(name)))
            for name in names
            if folder.training(name).exists()
        },
        heldout=_each(folder.heldout, names, HeldoutLoss),
        forgetting=_each(folder.forgetting, names, Forgetting),
        recall={
            name: recall(rows.recalled(folder, name), refusals)
            for name in names
            if folder.recall(name).exists()
        },
    )


def recall(asked: Sequence[Recalled], refusals: Sequence[str]) -> Recall:
    """How many of an adapter's answers to its own training rows are right."""
    named = labels([row.record for row in asked], refusals)
    right = [is_right(row.record, row.text, refusals, named) for row in asked]
    return Recall(right=sum(right), questions=len(right))


def _each(path: Path, names: Sequence[Adapter], kind: type[Model]) -> dict[Adapter, Model]:
    """A file's parts by adapter; none where it was not made, or where there was nothing to it."""
    found = (read_json(path) if path.exists() else None) or {}
    return {name: kind.model_validate(found[name]) for name in names if name in found}
