"""What ships for working offline, as dated data: models, prices, hyperparameters, a job."""

import functools
import json
from pathlib import Path
from typing import Any

from ragtune_cloud.sagemaker.spec import Hyperparameter


@functools.cache
def load() -> dict[str, Any]:
    """The content of ``catalog.json``; each part says beside it where it is from."""
    path = Path(__file__).parent / "catalog.json"
    catalog: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return catalog


def usd_per_hour(instance_type: str, count: int = 1) -> float | None:
    """The list price of so many instances; None where the catalogue does not know it."""
    price = load()["usd_per_hour"].get(instance_type)
    return None if price is None else float(price) * count


def gpus(instance_type: str) -> int | None:
    """How many GPUs an instance has; None where the catalogue does not know it."""
    count = load()["gpus"].get(instance_type)
    return None if count is None else int(count)


def parameters(model_id: str) -> float | None:
    """How many parameters a model has; None where the catalogue does not know it."""
    model = load()["models"].get(model_id)
    return None if model is None else float(model["parameters"])


def hyperparameters() -> tuple[Hyperparameter, ...]:
    """The documented hyperparameters, for a model whose own spec is not at hand."""
    rows = load()["hyperparameters"]
    return tuple(
        Hyperparameter(**{**row, "options": tuple(row.get("options", ()))}) for row in rows
    )
