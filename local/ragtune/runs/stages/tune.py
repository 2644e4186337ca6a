"""Tuning: the LoRA adapter and what training came to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragtune.core.files import read_jsonl, write_json
from ragtune.core.run_folder import RunFolder
from ragtune.runs import worker
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts
from ragtune.tuning import tensorboard
from ragtune.tuning.samples import Samples

FIELDS = ("tune", "seed", "template", "model.local")


class Tune(Stage):
    """The adapter, trained on the run's rows."""

    name = "tune"
    fields = FIELDS
    materials = ("base",)
    after = ("data",)

    def __init__(self, *, processes: int = 1) -> None:
        self.processes = processes

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """The adapter with its losses."""
        return [folder.adapter]

    def make(self, work: Work) -> None:
        """Train; a run that was stopped goes on from its checkpoint."""
        prepared = parts.samples(work, read_jsonl(work.run.train_rows))
        census = prepared.census
        work.watcher.say(
            f"tune: {census.rows} rows, {census.tokens} tokens → {census.train_samples} + "
            f"{census.validation_samples} samples, {census.steps_an_epoch} steps an "
            f"epoch; longest row {census.longest}, {census.rows_cut} cut"
        )
        for warning in census.warnings:
            work.watcher.say(f"tune: warning: {warning}")
        if self.processes == 1:
            tuned = trained(work, prepared)
        else:
            tuned = worker.tune_together(work.run, work.out, self.processes)
        write_json(work.out.training, {"census": census.to_json(), **tuned})
        tensorboard.write(work.out.tensorboard, tuned)


def trained(work: Work, samples: Samples, title: str = "tune") -> dict[str, Any]:
    """Train the recipe's LoRA on these samples in this process."""
    from ragtune.tuning import trainer

    with work.watcher.progress(title) as advance:
        return trainer.tune(
            work.recipe.tune,
            work.materials.base,
            samples,
            seed=work.recipe.seed,
            name=work.recipe.model.local,
            template_hash=parts.form(work).hash,
            hardware=work.materials.hardware,
            folder=work.out.path,
            watcher=work.watcher,
            advance=advance,
        ).to_json()
