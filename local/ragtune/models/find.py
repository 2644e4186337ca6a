"""Base model and embedder: the folder that a recipe names, checked.

Everything is read from a local folder; a hub id becomes one through ``hub.snapshot``.
"""

import hashlib
import json
from pathlib import Path

from ragtune.core import hub
from ragtune.core.bundled import BUILTIN, builtin_embedder, builtin_model, data_folder
from ragtune.core.errors import ModelError, RecipeError
from ragtune.models import smollm
from ragtune.models.defaults import FILE as DEFAULTS
from ragtune.models.folder import Shape, check_encoder, check_weights, family_at, shape
from ragtune.models.multilingual import MULTILINGUAL, multilingual_folder
from ragtune.recipe.model import NONE, Model
from ragtune.recipe.tune import PROJECTIONS


def model_folder(model: Model, beside: Path) -> Path:
    """The folder of the recipe's base model, of a known family and with its weights.

    ``beside`` is the recipe's own folder, which paths are relative to.

    Raises ModelError where it holds none, OfflineError for a hub id that is not cached.
    """
    if model.local in smollm.NAMES:
        folder = smollm.smollm_folder(model.local)
    else:
        folder = _named(model, beside)
    family_at(folder)
    check_weights(folder)
    return folder


def tokenizer_folder(model: Model, beside: Path) -> Path:
    """The folder of the recipe's model where only its tokenizer is needed, weights or not.

    Raises ModelError where there is none, OfflineError for a hub id that is not cached.
    """
    if model.local in smollm.NAMES:
        return model_folder(model, beside)
    return _named(model, beside)


def model_card(model: Model, beside: Path) -> tuple[Path, Shape]:
    """The folder with the model's defaults file, where it has one, and the model's size.

    Nothing is unpacked for it; a hub id is downloaded as for ``model_folder``.

    Raises ModelError and OfflineError as ``model_folder`` does.
    """
    if model.local in smollm.NAMES:
        return data_folder() / "models" / model.local, smollm.SHAPE
    folder = _named(model, beside)
    return folder, shape(folder)


def family_name(model: Model, beside: Path) -> str:
    """The type of the recipe's base model; nothing is unpacked for it.

    Raises ModelError and OfflineError as ``model_folder`` does.
    """
    if model.local in smollm.NAMES:
        return "llama"
    return family_at(_named(model, beside)).name


def lora_targets(model: Model, beside: Path) -> tuple[str, ...]:
    """The linear layers that LoRA may name in the recipe's base model.

    Nothing is unpacked for it; a hub id is downloaded as for ``model_folder``.

    Raises ModelError and OfflineError as ``model_folder`` does.
    """
    if model.local in smollm.NAMES:
        return PROJECTIONS
    return tuple(family_at(_named(model, beside)).targets)


def _named(model: Model, beside: Path) -> Path:
    name = model.local
    if name == BUILTIN:
        return builtin_model()
    if name == NONE:
        raise ModelError(f"model.local: only {model.engine} has the model; name it here as well")
    if (folder := beside / Path(name).expanduser()).is_dir():
        return folder
    if hub_id := hub.named(name, beside):
        weights = not model.remote  # beside a server its tokenizer is enough
        return hub.snapshot(hub_id, model.revision, "model", ModelError, weights=weights)
    raise ModelError(f"model.local: {folder}: no such folder; name a folder or a hub id")


def embedder_folder(name: str, beside: Path) -> Path:
    """The folder of ``rag.embedder``, in sentence-transformers' layout.

    ``beside`` is the recipe's own folder, which paths are relative to.

    Raises ModelError where it holds none, OfflineError for a hub id that is not cached.
    """
    if name == BUILTIN:
        return builtin_embedder()
    if name == MULTILINGUAL:
        return multilingual_folder()
    if (folder := beside / Path(name).expanduser()).is_dir():
        if not (folder / "modules.json").exists():
            raise ModelError(f"rag.embedder: {folder}: no sentence-transformers model there")
        check_encoder(folder, "rag.embedder")
        return folder
    if hub_id := hub.named(name, beside):
        folder = hub.snapshot(hub_id, None, "embedder", ModelError)
        check_encoder(folder, "rag.embedder")
        return folder
    raise ModelError(f"rag.embedder: {folder}: no such folder; name a folder or a hub id")


def check_chunks(embedder: Path, chunk_tokens: int) -> None:
    """Raise RecipeError when chunks of that length would be cut by the embedder, unseen."""
    try:
        config = json.loads((embedder / "sentence_bert_config.json").read_text(encoding="utf-8"))
        reads = int(config["max_seq_length"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return  # it states no limit of its own
    if chunk_tokens > reads:
        raise RecipeError(
            f"rag.chunk_tokens: {chunk_tokens}, but the embedder reads {reads} tokens of a text; "
            f"allowed: 16 to {reads}"
        )


def fingerprint(folder: Path) -> str:
    """SHA-256 over the names and contents of a model folder's files, in hexadecimal.

    Less what it is described by: its card and its defaults, which are in the recipe.
    """
    total = hashlib.sha256()
    files = (p for p in folder.rglob("*") if p.is_file() and p.name != DEFAULTS)
    for path in sorted(p for p in files if p.suffix != ".md"):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def context_length(folder: Path) -> int:
    """How many positions the model was made for."""
    return shape(folder).context
