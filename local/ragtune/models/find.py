"""Base model and embedder: the folder that a recipe names, checked.

Everything is read from a local folder; a hub id becomes one through ``hub.snapshot``.
"""

import hashlib
import json
from pathlib import Path

from ragtune.core import hub
from ragtune.core.bundled import BUILTIN, builtin_embedder, builtin_model
from ragtune.core.errors import ModelError, RecipeError
from ragtune.models import smollm
from ragtune.models.load import quiet_libraries
from ragtune.recipe.schema import Recipe

WEIGHTS = ("*.safetensors", "*.bin")


def model_folder(recipe: Recipe) -> Path:
    """The folder of the recipe's base model, checked to hold a Llama.

    Raises ModelError where it holds none, OfflineError for a hub id that is not cached.
    """
    name = recipe.model.local
    if name == BUILTIN:
        folder = builtin_model()
    elif name == smollm.NAME:
        quiet_libraries()
        folder = smollm.smollm_folder()
    elif (folder := recipe.path(name)).is_dir():
        pass
    elif hub.is_id(name) and not name.startswith("."):
        folder = hub.snapshot(name, recipe.model.revision, "model", ModelError)
    else:
        raise ModelError(f"model.local: {folder}: no such folder; name a folder or a hub id")
    _check_llama(folder)
    return folder


def embedder_folder(recipe: Recipe) -> Path:
    """The folder of the recipe's embedder, in sentence-transformers' layout.

    Raises ModelError where it holds none, OfflineError for a hub id that is not cached.
    """
    name = recipe.rag.embedder
    if name == BUILTIN:
        return builtin_embedder()
    if (folder := recipe.path(name)).is_dir():
        if not (folder / "modules.json").exists():
            raise ModelError(f"rag.embedder: {folder}: no sentence-transformers model there")
        return folder
    if hub.is_id(name):
        return hub.snapshot(name, None, "embedder", ModelError)
    raise ModelError(f"rag.embedder: {folder}: no such folder; name a folder or a hub id")


def check_chunks(embedder: Path, chunk_tokens: int) -> None:
    """Raise RecipeError when chunks of that length would be cut by the embedder, unseen."""
    try:
        config = json.loads((embedder / "sentence_bert_config.json").read_text(encoding="utf-8"))
        reads = int(config["max_seq_length"])
    except (OSError, ValueError, KeyError, TypeError):
        return  # it states no limit of its own
    if chunk_tokens > reads:
        raise RecipeError(
            f"rag.chunk_tokens: {chunk_tokens}, but the embedder reads {reads} tokens of a text; "
            f"allowed: 16 to {reads}"
        )


def _check_llama(folder: Path) -> None:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{folder}: no model there: config.json is missing") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}/config.json: cannot be read: {error}") from None
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind != "llama":
        raise ModelError(f"{folder}: a model of type {kind or 'unknown'}; ragtune tunes llama only")
    if not any(any(folder.glob(pattern)) for pattern in WEIGHTS):
        raise ModelError(f"{folder}: no weights there; model.safetensors is missing")


def fingerprint(folder: Path) -> str:
    """SHA-256 over the names and contents of a model folder's files, in hexadecimal."""
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".md"):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def context_length(model_or_folder: Path) -> int:
    """How many positions the model was made for."""
    config = json.loads((model_or_folder / "config.json").read_text(encoding="utf-8"))
    return int(config.get("max_position_embeddings", 2048))
