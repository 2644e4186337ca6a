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

from ragtune.core import moves
from ragtune.core.errors import RunError

NAME = "checkpoint.safetensors"

Tensors = dict[str, torch.Tensor]


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


@dataclass
class State:
    """The tensors of a run: LoRA weights, those of the best epoch, AdamW's step and moments."""

    weights: Tensors
    best: Tensors
    adam: Tensors

    def named(self) -> Tensors:
        """All of them, each under a name that says where it belongs."""
        named = {f"weights/{n}": t for n, t in self.weights.items()}
        named |= {f"best/{n}": t for n, t in self.best.items()}
        return named | {f"adam/{key}": t.cpu() for key, t in self.adam.items()}

    @staticmethod
    def of(named: Tensors) -> "State":
        """What ``named`` gave, put back where it belongs."""
        found = State({}, {}, {})
        of = {"weights": found.weights, "best": found.best, "adam": found.adam}
        for name, tensor in named.items():
            kind, _, rest = name.partition("/")
            of[kind][rest] = tensor
        return State(found.weights, found.best, _whole(found.adam))


def _whole(adam: Tensors) -> Tensors:
    """AdamW's moments in one tensor each, where they were kept weight by weight, as they once were.

    These are named ``NUMBER/moment``; all have taken the same steps.
    """
    apart: dict[str, dict[int, torch.Tensor]] = {}
    for name, tensor in adam.items():
        number, slash, moment = name.partition("/")
        if slash:
            apart.setdefault(moment, {})[int(number)] = tensor
    if not apart:
        return adam
    ordered = {moment: [parts[n] for n in sorted(parts)] for moment, parts in apart.items()}
    return {
        moment: parts[0] if moment == "step" else torch.cat([part.reshape(-1) for part in parts])
        for moment, parts in ordered.items()
    }


def save(folder: Path, progress: Progress, state: State) -> None:
    """Replace the folder's checkpoint.

    Raises RunError where it cannot be written; the one before it is still there then.
    """
    from safetensors.torch import save as serialised

    content = serialised(state.named(), metadata={"progress": json.dumps(asdict(progress))})
    folder.mkdir(parents=True, exist_ok=True)
    path, temporary = folder / NAME, folder / f".{NAME}.new"
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        moves.replace(temporary, path)
    except (OSError, RunError) as error:
        temporary.unlink(missing_ok=True)
        reason = error.strerror if isinstance(error, OSError) else str(error)
        before = load(folder)
        left = f"the checkpoint of step {before[0].step} is kept" if before else "there is none yet"
        raise RunError(
            f"{path}: cannot be written at step {progress.step}: {reason}; {left}: make "
            "room and give the same command again"
        ) from None


def load(folder: Path) -> tuple[Progress, State] | None:
    """The folder's checkpoint, or None where there is none."""
    from safetensors import safe_open

    path = folder / NAME
    if not path.exists():
        return None
    with safe_open(path, framework="pt") as file:
        kept: dict[str, Any] = json.loads(file.metadata()["progress"])
        names = file.keys()
        return Progress(**kept), State.of({name: file.get_tensor(name) for name in names})
