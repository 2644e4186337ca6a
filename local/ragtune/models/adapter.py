"""A LoRA adapter: checked, and merged into its base."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ragtune.core.errors import ModelError
from ragtune.models.folder import refuse_special
from ragtune.models.hardware import Hardware
from ragtune.models.load import load_base

if TYPE_CHECKING:
    import torch


def check_adapter(adapter: Path, template_hash: str) -> None:
    """Raise ModelError for an adapter that is missing or was tuned with another template.

    PEFT would also read a pickled ``adapter_model.bin``; such an adapter counts as missing.
    """
    note = adapter / "ragtune.json"
    refuse_special(adapter)
    if not note.exists():
        raise ModelError(f"{adapter}: no adapter of ragtune's there")
    try:
        tuned_with = str(json.loads(note.read_text(encoding="utf-8"))["template_hash"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{note}: cannot be read: {str(error)[:200]}; tune again") from None
    if tuned_with != template_hash:
        raise ModelError(
            f"{adapter}: tuned with template {tuned_with[:8]}, asked with {template_hash[:8]}; "
            "tune again with the recipe's template"
        )
    if not (adapter / "adapter_model.safetensors").exists():
        raise ModelError(f"{adapter}: adapter_model.safetensors is missing; tune again")


def load_tuned(
    folder: Path, adapter: Path, template_hash: str, hardware: Hardware
) -> "torch.nn.Module":
    """The base model with an adapter merged in, on the device, in evaluation mode.

    Raises ModelError for an adapter that is missing or was tuned with another template.
    """
    check_adapter(adapter, template_hash)
    base = load_base(folder, hardware)
    from peft import PeftModel

    merged: torch.nn.Module = PeftModel.from_pretrained(base, str(adapter)).merge_and_unload()
    return merged.eval()
