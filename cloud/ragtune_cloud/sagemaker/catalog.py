"""What ships for working offline, as dated data: models, prices, hyperparameters, a job."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ragtune_cloud.sagemaker.spec import Hyperparameter


@functools.cache
def load() -> dict[str, Any]:
    """The content of ``catalog.json``; each part says beside it where it is from."""
    path = Path(__file__).parent / "catalog.json"
    catalog: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return catalog


def usd_per_hour(
    instance_type: str,
    count: int = 1,
    *,
    region: str,
    prices: Mapping[str, float] | None = None,
) -> float | None:
    """The price of so many instances in a region; None where it is not known.

    ``prices`` are the user's own, by instance type; list prices of one region hold in no other.
    """
    known = {**load()["usd_per_hour"].get(region, {}), **(prices or {})}
    price = known.get(instance_type)
    return None if price is None else float(price) * count


def no_price(instance_type: str, region: str) -> str:
    """That a price is not known, and what to do about it."""
    there = ", ".join(load()["usd_per_hour"])
    return (
        f"no price is known for {instance_type} in {region} (the catalogue has prices of {there} "
        f"only); look it up, and promote with --set 'cloud.prices={{{instance_type}: USD}}'"
    )


def gpus(instance_type: str) -> int | None:
    """How many GPUs an instance has; None where the catalogue does not know it."""
    count = load()["gpus"].get(instance_type)
    return None if count is None else int(count)


def parameters(model_id: str) -> float | None:
    """How many parameters a model has; None where the catalogue does not know it."""
    model = load()["models"].get(model_id)
    return None if model is None else float(model["parameters"])


def vocabulary(model_id: str) -> int | None:
    """How many tokens a model's tokenizer has; None where the catalogue does not know it."""
    for beginning, count in load()["vocabularies"].items():
        if model_id.startswith(beginning):
            return int(count)
    return None


def end_token(model_id: str) -> str | None:
    """The text of the token that ends what a model writes; None where it is not known."""
    for row in load()["end_tokens"]:
        if model_id.startswith(row["begins"]) and model_id.endswith(row["ends"]):
            return str(row["token"])
    return None


def hyperparameters() -> tuple[Hyperparameter, ...]:
    """The documented hyperparameters, for a model whose own spec is not at hand."""
    return tuple(Hyperparameter.from_json(row) for row in load()["hyperparameters"])
