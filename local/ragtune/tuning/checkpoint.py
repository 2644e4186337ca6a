"""One file from which a stopped training run goes on as if it had never stopped.

It is written whole under another name, flushed to the disk and then renamed: a kill or a full
disk leaves the one before it as it was. Random numbers are no part of it: order and dropout are
drawn from the seed and the step.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from ragtune.core.errors import RunError

NAME = "checkpoint.safetensors"


@dataclass
class Progress:
    """How far a run has come; ``step`` counts whole optimiser steps from the very start.

    ``summed_loss`` and ``tokens`` are those of the epoch in hand, ``supervised`` the tokens of the
    whole run; ``epochs`` holds one entry for
    each that is over; ``micro_batch`` is smaller than the recipe's where memory ran out.
    """

    micro_batch: int
    step: int = 0
    summed_loss: float = 0.0
    tokens: int = 0
    supervised: int = 0
    seconds: float = 0.0
    best_epoch: int | None = None
    substitutions: list[str] = field(default_factory=list)
    epochs: list[dict[str, float]] = field(default_factory=list)
    steps: list[dict[str, float]] = field(default_factory=list)


def save(folder: Path, progress: Progress, tensors: dict[str, torch.Tensor]) -> None:
    """Replace the folder's checkpoint.

    Raises RunError where it cannot be written; the one before it still stands then.
    """
    from safetensors.torch import save as serialised

    content = serialised(tensors, metadata={"progress": json.dumps(asdict(progress))})
    folder.mkdir(parents=True, exist_ok=True)
    path, temporary = folder / NAME, folder / f".{NAME}.new"
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        stands = load(folder)
        left = f"the checkpoint of step {stands[0].step} stands" if stands else "there is none yet"
        raise RunError(
            f"{path}: cannot be written at step {progress.step}: {error.strerror}; {left}: make "
            "room and give the same command again"
        ) from None


def load(folder: Path) -> tuple[Progress, dict[str, torch.Tensor]] | None:
    """The folder's checkpoint, or None where there is none."""
    from safetensors import safe_open

    path = folder / NAME
    if not path.exists():
        return None
    with safe_open(path, framework="pt") as file:
        kept: dict[str, Any] = json.loads(file.metadata()["progress"])
        return Progress(**kept), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
