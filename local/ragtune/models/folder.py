"""A model's folder as it lies on the disk: its configuration, its family, its weights."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragtune.core.errors import ModelError
from ragtune.models.families.base import ModelFamily
from ragtune.models.families.registry import family_of

CONVERT = (
    "from transformers import AutoModelForCausalLM as M; "
    "M.from_pretrained('{folder}').save_pretrained('{folder}')"
)
"""Writes ``model.safetensors`` beside pickled weights."""


@dataclass(frozen=True)
class Shape:
    """A model's size: the width of its hidden states, and how many positions it reads."""

    hidden: int
    context: int


def shape(folder: Path) -> Shape:
    """The size of a folder's model.

    Raises ModelError where its configuration cannot be read.
    """
    config = read_config(folder)
    context = int(config.get("max_position_embeddings", 2048))
    return Shape(int(config.get("hidden_size", 2048)), context)


def read_config(folder: Path) -> dict[str, Any]:
    """The content of a folder's ``config.json``.

    Raises ModelError where there is none, or none that can be read.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{folder}: no model there: config.json is missing") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read: {error}") from None
    if not isinstance(config, dict):
        raise ModelError(f"{path}: cannot be read: not a JSON object")
    return config


def family_at(folder: Path) -> ModelFamily:
    """The family of a folder's model.

    Raises ModelError where no family knows its configuration.
    """
    config = read_config(folder)
    try:
        return family_of(config)
    except ModelError as error:
        raise ModelError(f"{folder}: {error}") from None


def check_weights(folder: Path) -> None:
    """Look for weights in safetensors: a pickle runs whatever code its author put into it.

    Raises ModelError where there are none.
    """
    if any(folder.glob("*.safetensors")):
        return
    if pickled := sorted(folder.glob("pytorch_model*.bin")):
        raise ModelError(
            f"{pickled[0]}: pickled weights can run code and are not loaded; where you trust their "
            f'source: python -c "{CONVERT.format(folder=folder)}"'
        )
    raise ModelError(f"{folder}: no weights there; model.safetensors is missing")
