"""What a model brings with it: values of recipe fields that are known to suit it.

They are in ``ragtune.yaml`` in the model's folder, or in ``data/models/NAME`` for the models that
ship with ragtune: a part of a recipe, each value with a comment on how it was measured.
"""

import json
from pathlib import Path
from typing import Any

from ragtune.recipe import file as recipe_file

FILE = "ragtune.yaml"
ALLOWED = ("template", "rag", "study.refusal", "study.max_new_tokens", "tune")


def read_defaults(folder: Path) -> dict[str, Any] | None:
    """The fields that a model's defaults file gives, dotted; None where it has no such file.

    Raises RecipeError for faults in the file.
    """
    path = folder / FILE
    return recipe_file.load_part(path, ALLOWED) if path.is_file() else None


def has_chat_template(folder: Path) -> bool:
    """Whether a model's tokenizer says how a conversation is written; nothing is imported for it.

    As transformers looks for it: a file of its own, or an entry in ``tokenizer_config.json``.
    """
    if any((folder / name).is_file() for name in ("chat_template.jinja", "chat_template.json")):
        return True
    try:
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and bool(config.get("chat_template"))
