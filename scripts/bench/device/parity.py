"""A small model's losses on the device, in fp32 and bf16, against those of a CPU in fp32."""

import tempfile
from pathlib import Path
from typing import Any

from ragtune.core.progress import Silent
from ragtune.models.hardware import Hardware
from ragtune.models.load import quiet_libraries
from scripts.bench.device import shapes, tuning
from scripts.bench.device.shapes import SEED, SHAPES

STEPS = 20
SHAPE = SHAPES["tiny"]
BOUNDS = {"float32": 1e-3, "bfloat16": 3e-2}
"""How far apart two losses may be, by precision; those of ``tests/local/tuning/test_gpu.py``."""


def losses(device: str, dtype: str) -> list[float]:
    """The loss of each step of one training run, from the same weights each time."""
    from ragtune.tuning.trainer import tune

    quiet_libraries()
    weights = shapes.random_model(SHAPE, "cpu", "float32")
    sizes = shapes.lengths(STEPS * SHAPE.micro_batch, SHAPE.length)
    spec = tuning.spec(SHAPE).model_copy(update={"lora_dropout": 0.0, "learning_rate": 1e-2})
    with tempfile.TemporaryDirectory() as scratch:
        weights.save_pretrained(Path(scratch) / "model")
        tuned = tune(
            spec,
            Path(scratch) / "model",
            shapes.samples(SHAPE, sizes, SHAPE.micro_batch),
            seed=SEED,
            name="tiny",
            template_hash="",
            hardware=Hardware(device, "", 1, dtype, dtype),
            folder=Path(scratch) / "run",
            watcher=Silent(),
        )
    return [step["loss"] for step in tuned.steps]


def compared(device: str) -> dict[str, Any]:
    """The largest relative distance of a step's loss from the CPU's, by precision."""
    expected = losses("cpu", "float32")
    apart = {dtype: distance(losses(device, dtype), expected) for dtype in BOUNDS}
    return {
        "steps": len(expected),
        "apart": apart,
        "within": all(apart[dtype] <= bound for dtype, bound in BOUNDS.items()),
    }


def distance(found: list[float], expected: list[float]) -> float:
    """The largest relative distance between two runs' losses, step by step."""
    return max(abs(a - b) / abs(b) for a, b in zip(found, expected, strict=True))
