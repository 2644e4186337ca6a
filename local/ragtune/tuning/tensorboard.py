"""The losses of a run as TensorBoard reads them, where ``ragtune[tensorboard]`` is installed."""

import importlib.util
from pathlib import Path
from typing import Any


def write(folder: Path, training: dict[str, Any]) -> bool:
    """Write ``train/loss`` and ``train/learning_rate`` by step, ``eval/loss`` by epoch's end.

    ``training`` is what ``Tuned.to_json`` gives. False where TensorBoard is not installed.
    """
    if importlib.util.find_spec("tensorboard") is None:
        return False
    from torch.utils.tensorboard import SummaryWriter

    steps, epochs = training["steps"], training["epochs"]
    with SummaryWriter(str(folder)) as writer:
        for entry in steps:
            for name in ("loss", "learning_rate"):
                writer.add_scalar(f"train/{name}", entry[name], entry["step"])
        for epoch in epochs:
            if "eval_loss" in epoch:
                last = len(steps) * epoch["epoch"] // len(epochs)
                writer.add_scalar("eval/loss", epoch["eval_loss"], last)
    return True
