"""Tuning: a LoRA adapter and what training came to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragtune.core import moves
from ragtune.core.files import read_jsonl, write_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Adapter
from ragtune.recipe.tune import Tune as Spec
from ragtune.runs import worker
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts
from ragtune.tuning import schedule, tensorboard
from ragtune.tuning.samples import Samples

FIELDS = ("tune", "seed", "template", "model.local")


class Tune(Stage):
    """An adapter, trained on its rows."""

    fields = FIELDS
    materials = ("base",)

    def __init__(self, adapter: Adapter, *, processes: int = 1, searched: bool = False) -> None:
        self.adapter, self.processes = adapter, processes
        self.name = f"tune/{adapter}"
        self.after = (f"data/{adapter}", *([f"search/{adapter}"] if searched else []))

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """The adapter with its losses."""
        return [folder.adapter(self.adapter)]

    def make(self, work: Work) -> None:
        """Train; a run that was stopped goes on from its checkpoint."""
        spec = parts.settings(work, self.adapter)
        prepared = parts.samples(work, read_jsonl(work.run.train_rows(self.adapter)), self.adapter)
        for line in schedule.told(prepared.census, spec):
            work.watcher.say(f"{self.name}: {line}")
        if self.processes == 1:
            tuned = trained(
                work, prepared, work.out.path, spec=spec, title=self.name, seed=work.recipe.seed
            )
        else:
            tuned = worker.tune_together(work.run, work.out, self.adapter, self.processes)
        _put(work.out.path / ADAPTER, work.out.adapter(self.adapter))
        write_json(
            work.out.training(self.adapter),
            {"census": prepared.census.to_json(), **tuned, "settings": settings(spec)},
        )
        tensorboard.write(work.out.tensorboard(self.adapter), tuned)


ADAPTER = "adapter"
"""Where the trainer leaves an adapter in its folder."""


def settings(spec: Spec) -> dict[str, Any]:
    """The concrete values that an adapter was tuned with, as ``training.json`` keeps them."""
    return spec.model_dump(mode="json", exclude={"search", "adapters", "with_passages"})


def trained(
    work: Work, samples: Samples, folder: Path, *, spec: Spec, title: str, seed: int
) -> dict[str, Any]:
    """Train LoRA on these samples in this process; what training came to.

    The adapter and the checkpoint are left in ``folder``.
    """
    from ragtune.tuning import trainer

    with work.watcher.progress(title) as advance:
        return trainer.tune(
            spec,
            work.materials.base,
            samples,
            seed=seed,
            name=work.recipe.model.local,
            template_hash=parts.form(work).hash,
            hardware=work.materials.hardware,
            folder=folder,
            watcher=work.watcher,
            advance=advance,
        ).to_json()


def _put(left: Path, place: Path) -> None:
    if left == place:
        return
    moves.remove_folder(place)
    moves.replace(left, place)
