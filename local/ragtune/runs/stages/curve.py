"""The learning curve: tuned on a share of the records, and asked."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from ragtune.core.errors import RecipeError, RecordsError
from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Adapter
from ragtune.recipe.schema import Recipe
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import again, data, parts


class Curve(Stage):
    """The tuned arms after tuning on a share of the records."""

    def __init__(self, share: float, recipe: Recipe) -> None:
        self.share, self.name, self.recipe = share, f"curve/{share:g}", recipe
        self.rows = {name: data.Data(name, recipe) for name in recipe.adapters}
        self.arms = {name: recipe.served(name) for name in recipe.adapters}
        rows = [again.Read(d.fields, d.materials, d.after) for d in self.rows.values()]
        arms = [again.reads(recipe, arms) for arms in self.arms.values()]
        read = again.joined(*rows, *arms)
        self.fields, self.materials, self.after = read.fields, read.materials, read.after

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """A folder with each arm's answers and each adapter's losses."""
        return [folder.curve(self.share)]

    def make(self, work: Work) -> None:
        """Tune on the share, and ask each arm.

        Raises RecipeError for a share that leaves nothing to train on.
        """
        for adapter in self.rows:
            self._make(work, adapter)

    def _make(self, work: Work, adapter: Adapter) -> None:
        from ragtune.results import learning_curve

        share = self.share
        records = learning_curve.subset(work.materials.train, share, work.recipe.seed)
        passages = self.rows[adapter].passages
        with parts.retriever(work) if passages else contextlib.nullcontext() as retriever:
            training = parts.training_rows(work, records, retriever)
        try:
            samples = parts.samples(work, training, adapter)
        except RecordsError as error:
            raise RecipeError(
                f"study.learning_curve: {share:g} of the records is too little: {error}"
            ) from None
        tuned = again.tuned_and_asked(
            work,
            self.recipe,
            samples,
            self.arms[adapter],
            lambda arm: work.out.curve_answers(share, arm),
            title=f"{adapter} on {share:.0%}",
            adapter=adapter,
            seed=work.recipe.seed,
            scratch=work.out.path / "tuning" / adapter,
        )
        noted = {"records": len(records), **tuned}
        write_json(work.out.curve_training(share, adapter), noted)
