"""A model's folder as it lies on the disk: its configuration, its family, its weights."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragtune.core.errors import ModelError
from ragtune.core.ordinary import special
from ragtune.models.families.base import ModelFamily
from ragtune.models.families.registry import family_of

CONVERT = (
    "from transformers import AutoModelForCausalLM as M; "
    "M.from_pretrained('{folder}').save_pretrained('{folder}')"
)
"""Writes ``model.safetensors`` beside pickled weights."""


WIDTH = ("hidden_size", "n_embd", "d_model")
POSITIONS = (
    "max_position_embeddings",
    "n_positions",
    "n_ctx",
    "max_seq_len",
    "max_sequence_length",
)
"""What configurations call the width of hidden states, and how many positions are read."""


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
    try:
        return Shape(_number(config, WIDTH), _number(config, POSITIONS))
    except ModelError as error:
        raise ModelError(f"{folder}: {error}") from None


def _number(config: Mapping[str, Any], names: Sequence[str]) -> int:
    """What a configuration gives under the first of the names that it has; else 2048."""
    name = next((n for n in names if isinstance(config.get(n), int)), None)
    if name is None:
        return 2048
    if (found := int(config[name])) < 1 or config[name] is True:
        raise ModelError(f"config.json: {name}: {config[name]}, but it is a number from 1 on")
    return found


def read_config(folder: Path) -> dict[str, Any]:
    """The content of a folder's ``config.json``.

    Raises ModelError where there is none, or none that can be read, and where anything in the
    folder is a pipe or a device, which whatever reads a model would wait for.
    """
    path = folder / "config.json"
    refuse_special(folder)
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{folder}: no model there: config.json is missing") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: cannot be read: {str(error)[:200]}") from None
    if not isinstance(config, dict):
        raise ModelError(f"{path}: cannot be read: not a JSON object")
    if not isinstance(config.get("model_type", ""), str | None):
        raise ModelError(f"{path}: model_type: {str(config['model_type'])[:80]}, but it is a name")
    return config


def refuse_special(folder: Path) -> None:
    """Raise ModelError where a model's folder holds a pipe, a socket or a device."""
    for path in sorted(folder.rglob("*")):
        if kind := special(path):
            raise ModelError(f"{path}: is {kind}; a model's folder holds files alone")


def family_at(folder: Path) -> ModelFamily:
    """The family of a folder's model.

    Raises ModelError where no family knows its configuration.
    """
    config = read_config(folder)
    try:
        return family_of(config)
    except ModelError as error:
        raise ModelError(f"{folder}: {error}") from None


CODE = ("auto_map", "custom_pipelines")
"""What configurations call classes of their own folder."""
_OWN = "sentence_transformers."
_PICKLES = ("pytorch_model*.bin", "*.pt", "*.pth", "*.pkl", "*.pickle")


def check_encoder(folder: Path, field: str) -> None:
    """Look through an embedder's or a reranker's folder for code, which is not run from there.

    Raises ModelError where it names a class of its own, or has weights that are pickled.
    """
    refuse_special(folder)
    modules = folder / "modules.json"
    if modules.is_file():
        listed = _json(modules, field)
        for module in listed if isinstance(listed, list) else [None]:
            kind = module.get("type") if isinstance(module, dict) else None
            place = str(module.get("path", "")) if isinstance(module, dict) else ""
            if not isinstance(kind, str) or not kind.startswith(_OWN):
                raise _code(field, modules, str(kind))
            if not _is_within(folder, place):
                raise ModelError(f"{field}: {modules}: {place[:80]} leads out of the folder")
    for path in sorted(folder.rglob("*.json")):
        if path.name.startswith("tokenizer") and path.name != "tokenizer_config.json":
            continue  # megabytes of words
        if not path.name.startswith(("vocab", "model.safetensors.index")):
            for named in _names_code(_json(path, field)):
                raise _code(field, path, named)
    for pattern in _PICKLES:
        for pickled in sorted(folder.rglob(pattern)):
            if not any(pickled.parent.glob("*.safetensors")):
                raise ModelError(
                    f"{field}: {pickled}: pickled weights can run code and are not loaded; take a "
                    "model with model.safetensors"
                )


def _json(path: Path, field: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{field}: {path}: cannot be read: {str(error)[:200]}") from None


def _names_code(config: Any) -> Iterator[str]:
    """What in a configuration would load code of the model's author."""
    if isinstance(config, dict):
        for key, value in config.items():
            if key in CODE or (key == "trust_remote_code" and value):
                yield f"{key}: {str(value)[:80]}"
            elif key.startswith("activation_f") and isinstance(value, str) and "." in value:
                if not value.startswith("torch."):
                    yield f"{key}: {value[:80]}"
            else:
                yield from _names_code(value)
    elif isinstance(config, list):
        for value in config:
            yield from _names_code(value)


def _code(field: str, path: Path, named: str) -> ModelError:
    return ModelError(
        f"{field}: {path}: {named}: code from a model's folder is not run; take a model that "
        "sentence-transformers knows by itself"
    )


def check_weights(folder: Path) -> None:
    """Look for weights in safetensors: a pickle runs whatever code its author put into it.

    Raises ModelError where there are none, and where a part that the index names is missing.
    """
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        _check_shards(index)
    if any(folder.glob("*.safetensors")):
        return
    if pickled := sorted(folder.glob("pytorch_model*.bin")):
        raise ModelError(
            f"{pickled[0]}: pickled weights can run code and are not loaded; where you trust their "
            f'source: python -c "{CONVERT.format(folder=folder)}"'
        )
    raise ModelError(f"{folder}: no weights there; model.safetensors is missing")


def _is_within(folder: Path, name: str) -> bool:
    """Whether a name that a file of the folder gives is one in it, links or not.

    What is elsewhere is no part of the model's fingerprint, so that nobody would see it change.
    """
    return "\0" not in name and Path(os.path.normpath(folder / name)).is_relative_to(
        os.path.normpath(folder)
    )


def _check_shards(index: Path) -> None:
    try:
        named = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        names = {name if isinstance(name, str) else repr(name) for name in named}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{index}: cannot be read: {str(error)[:200]}") from None
    if outside := sorted(name for name in names if not _is_within(index.parent, name)):
        raise ModelError(f"{index}: {outside[0][:80]} leads out of the folder")
    missing = sorted(name for name in names if not (index.parent / name).is_file())
    if missing:
        more = f" and {len(missing) - 1} other parts" if len(missing) > 1 else ""
        raise ModelError(
            f"{index.parent}: {missing[0]}{more} of the weights missing; fetch the whole model"
        )
