"""The learning curve: tuned on a share of the records, and asked."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from ragtune.core.errors import RecipeError, RecordsError
from ragtune.core.files import write_json, write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Arm as ArmName
from ragtune.recipe.schema import Recipe
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import answers, data, parts, tune


class Curve(Stage):
    """The tuned arms after tuning on a share of the records."""

    def __init__(
        self, share: float, arms: Sequence[ArmName], recipe: Recipe, *, passages: bool
    ) -> None:
        self.share, self.arms, self.passages = share, arms, passages
        self.name = f"curve/{share:g}"
        read = [answers.reads(arm, recipe) for arm in arms]
        searches = passages or any("rag" in arm for arm in arms)
        self.fields = _each(
            data.FIELDS,
            tune.FIELDS,
            parts.SEARCH if searches else (),
            ("study.batch_size",),
            *(r["fields"] for r in read),
        )
        self.materials = _each(
            ("records",), parts.SEARCHED if searches else (), *(r["materials"] for r in read)
        )
        after = _each(("index",) if searches else (), *(r["after"] for r in read))
        self.after = tuple(name for name in after if name != "tune")

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """A folder with each arm's answers and the losses."""
        return [folder.curve(self.share)]

    def make(self, work: Work) -> None:
        """Tune on the share, and ask each arm.

        Raises RecipeError for a share that leaves nothing to train on.
        """
        from ragtune.results import learning_curve

        share = self.share
        records = learning_curve.subset(work.materials.train, share, work.recipe.seed)
        opened = parts.retriever(work) if self.passages else contextlib.nullcontext()
        with opened as retriever:
            training = parts.training_rows(work, records, retriever)
        try:
            samples = parts.samples(work, training)
        except RecordsError as error:
            raise RecipeError(
                f"study.learning_curve: {share:g} of the records is too little: {error}"
            ) from None
        tuned = tune.trained(work, samples, f"tune on {share:.0%}")
        engine = parts.engine(work, work.out.adapter)
        questions, size = parts.questions(work), work.recipe.study.batch_size
        for name in self.arms:
            found = parts.found(work) if "rag" in name else [[] for _ in questions]
            with (
                answers.opened(name, work, engine) as arm,
                work.watcher.progress(f"answers on {share:.0%}: {name}") as advance,
            ):
                given = arm.ask_all(questions, found, size, advance)
            write_jsonl(work.out.curve_answers(share, name), [a.to_json() for a in given])
        write_json(work.out.curve_training(share), {"records": len(records), **tuned})


def _each(*groups: Sequence[str]) -> tuple[str, ...]:
    """All names of all groups, each once."""
    return tuple(dict.fromkeys(name for group in groups for name in group))
