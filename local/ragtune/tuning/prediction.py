"""How long a training run will take and what memory it needs, from three micro-batches of it."""

import tempfile
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from ragtune.core import machine
from ragtune.core.progress import Silent
from ragtune.models.hardware import Hardware
from ragtune.recipe.tune import Tune
from ragtune.tuning.batches import epoch_steps, micro_batches
from ragtune.tuning.distributed import Team
from ragtune.tuning.samples import Samples
from ragtune.tuning.trainer import Training

PROBED = 3
FORWARD_SHARE = 1 / 3
"""What validating a token costs of what training on it does: no backward pass."""


@dataclass(frozen=True)
class Prediction:
    """Minutes of training and validating, and the peak of the process's memory, in GiB.

    ``substitutions`` are what would be done otherwise than asked.
    """

    minutes: float
    peak_gib: float
    tokens_a_second: float
    micro_batch: int
    substitutions: list[str]

    def said(self, name: str) -> str:
        """In words, of the adapter of that name."""
        lines = [
            f"{name}: tuning takes about {self.minutes:.1f} minutes at {self.tokens_a_second:.0f} "
            f"tokens a second, and {self.peak_gib:.1f} GiB of memory"
        ]
        return "\n".join([*lines, *(f"{name}: {what}" for what in self.substitutions)])

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


def predict(
    spec: Tune, base: Path, samples: Samples, *, seed: int, hardware: Hardware
) -> Prediction:
    """Train on three micro-batches, after one to warm up, and extrapolate; nothing is kept.

    Raises ModelError as training does.
    """
    with tempfile.TemporaryDirectory() as scratch:
        training = Training(
            spec,
            base,
            samples,
            seed=seed,
            hardware=hardware,
            folder=Path(scratch),
            watcher=Silent(),
            team=Team(),
        )
        steps = epoch_steps(len(samples.train), samples.batch, seed, 0)
        chosen = [samples.train[n] for step in steps[: PROBED + 1] for n in step]
        parts = micro_batches(chosen, training.progress.micro_batch)[: PROBED + 1]
        with closing(training.passes):
            training.gradients(parts[0])
            started, tokens = perf_counter(), 0
            for part in parts[1:] or parts:
                training.gradients(part)
                tokens += sum(len(s.ids) for s in part)
            rate = tokens / (perf_counter() - started)
    return Prediction(
        minutes=_work(spec, samples) / rate / 60,
        peak_gib=_peak(hardware) / 2**30,
        tokens_a_second=rate,
        micro_batch=training.progress.micro_batch,
        substitutions=training.progress.substitutions,
    )


def _work(spec: Tune, samples: Samples) -> float:
    """Tokens of the whole run, a validated one counted as the share of a trained one it costs."""
    kept = 1 - samples.census.samples_dropped_an_epoch / len(samples.train)
    trained = kept * sum(len(s.ids) for s in samples.train)
    validated = sum(len(s.ids) for s in samples.validation)
    return spec.epoch * (trained + FORWARD_SHARE * validated)


def _peak(hardware: Hardware) -> int:
    """Bytes: the device's where it has memory of its own, else this process's."""
    if hardware.device == "cuda":
        return torch.cuda.max_memory_allocated()
    return machine.peak_memory()
