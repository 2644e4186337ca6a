"""What promotion would do: the contract, the data, the price. Nothing is sent or spent."""

import hashlib
from pathlib import Path
from typing import Any

from cloud import catalog, contract
from local.errors import RecipeError, RunError
from local.recipe import Recipe

UPLOADED = ("train.jsonl", "template.json")


def plan(recipe: Recipe, run_folder: Path) -> dict[str, Any]:
    """The contract, the hyperparameters as they travel, the data with its hashes, the price.

    Raises RecipeError when the recipe names no JumpStart model or one that is not in the
    catalogue, RunError when the run has no data.
    """
    model = recipe.model.jumpstart
    if model is None:
        raise RecipeError(
            "model.jumpstart: missing; name the model to promote to, for example "
            "meta-textgeneration-llama-3-2-1b"
        )
    if model not in catalog.load()["models"]:
        raise RecipeError(
            f"model.jumpstart: {model}: not in the catalogue of "
            f"{catalog.load()['dated']}; it has {', '.join(catalog.load()['models'])}"
        )
    cloud = recipe.cloud
    price = catalog.usd_per_hour(cloud.instance_type)
    return {
        "recipe": {"name": recipe.name, "identity": recipe.identity},
        "model_id": model,
        "instance": {
            "type": cloud.instance_type,
            "count": cloud.instance_count,
            "usd_per_hour": price and round(price * cloud.instance_count, 3),
            "prices_dated": catalog.load()["dated"],
        },
        "max_cost_usd": cloud.max_cost_usd,
        "hyperparameters": contract.hyperparameters(recipe),
        "contract": [term.to_json() for term in contract.terms(recipe)],
        "data": {name: _sha256(run_folder / "data" / name) for name in UPLOADED},
    }


def show(planned: dict[str, Any]) -> str:
    """The plan for a terminal."""
    instance = planned["instance"]
    rows = [
        f"{term['field']:34} {_short(term['local']):28} {term['verdict']}"
        for term in planned["contract"]
    ]
    price = instance["usd_per_hour"]
    lines = [
        f"{planned['recipe']['name']}-{planned['recipe']['identity'][:8]} on {planned['model_id']}",
        *rows,
        *(f"data/{name:29} sha256 {value[:16]}" for name, value in planned["data"].items()),
        f"{instance['count']} x {instance['type']}: "
        + (
            f"${price:.2f} an hour (list price of {instance['prices_dated']})"
            if price
            else "price unknown"
        ),
        "nothing was sent or spent",
    ]
    return "\n".join(lines)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 28 else text[:25] + "..."


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        raise RunError(f"{path}: missing; finish the run first") from None
