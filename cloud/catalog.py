"""What the cloud offers, as dated data: models, instances, their GPUs and list prices."""

import functools
import json
from pathlib import Path
from typing import Any


@functools.cache
def load() -> dict[str, Any]:
    """The content of ``catalog.json``: list prices in USD an hour, on demand, by instance type."""
    catalog: dict[str, Any] = json.loads((Path(__file__).parent / "catalog.json").read_text())
    return catalog


def usd_per_hour(instance_type: str) -> float | None:
    """The list price of an instance; None where the catalogue does not know it."""
    price = load()["usd_per_hour"].get(instance_type)
    return None if price is None else float(price)


def gpus(instance_type: str) -> int | None:
    """How many GPUs an instance has; None where the catalogue does not know it."""
    count = load()["gpus"].get(instance_type)
    return None if count is None else int(count)
