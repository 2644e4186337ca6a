"""The tuned arms once more, after tuning with another seed."""

from collections.abc import Sequence
from pathlib import Path

from ragtune.core.files import read_jsonl, write_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Adapter
from ragtune.recipe.schema import Recipe
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import again, parts


class Seed(Stage):
    """An adapter tuned for the n-th time, from 2, on the same rows; its arms' answers."""

    def __init__(self, number: int, adapter: Adapter, recipe: Recipe) -> None:
        self.number, self.adapter, self.recipe = number, adapter, recipe
        self.name = f"seed/{number}/{adapter}"
        self.arms = recipe.served(adapter)
        read = again.reads(recipe, self.arms)
        self.fields, self.materials = read.fields, read.materials
        self.after = (*read.after, f"data/{adapter}")

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """Each arm's answers, and the losses."""
        return [
            *(folder.seed_answers(self.number, arm) for arm in self.arms),
            folder.seed_training(self.number, self.adapter),
        ]

    def make(self, work: Work) -> None:
        """Tune and ask."""
        tuned = again.tuned_and_asked(
            work,
            self.recipe,
            parts.samples(work, read_jsonl(work.run.train_rows(self.adapter)), self.adapter),
            self.arms,
            lambda arm: work.out.seed_answers(self.number, arm),
            title=f"{self.adapter}, seed {self.number}",
            adapter=self.adapter,
            seed=work.recipe.seed + self.number - 1,
            scratch=work.out.path / "tuning",
        )
        write_json(work.out.seed_training(self.number, self.adapter), tuned)
