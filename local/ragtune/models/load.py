"""Base model and tokenizer: loaded from a folder that ``find`` gives.

Nothing in such a folder is run: weights are safetensors, and its Python files are left alone.
"""

import json
import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragtune.core.errors import ModelError
from ragtune.models.folder import check_weights, family_at, read_config
from ragtune.models.hardware import Hardware
from ragtune.models.tokenizer import CLASSES, plain_tokenizer

if TYPE_CHECKING:
    import torch

FROM_FOLDER: dict[str, Any] = {
    "local_files_only": True,
    "use_safetensors": True,
    "trust_remote_code": False,
}
"""How every model is read, whichever its family."""
MANY_LAYERS = 200
"""More than the deepest published models have; to build a million takes minutes and gigabytes."""
_PLACE = re.compile(r"\.(\d+)\.")


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer beside a model; one that has no pad token pads with EOS.

    Raises ModelError where there is none or it names no EOS.
    """
    tokenizer = plain_tokenizer(folder, lambda: _whole_tokenizer(folder))
    return _checked(folder, _whole_tokenizer(folder) if tokenizer is None else tokenizer)


def _whole_tokenizer(folder: Path) -> Any:
    """The folder's tokenizer as transformers loads it."""
    quiet_libraries()
    try:
        tokenizer = _tokenizer_class(folder).from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:
        raise ModelError(f"{folder}: no usable tokenizer: {_first_line(error)}") from None
    if tokenizer.pad_token_id is None and tokenizer.eos_token_id is not None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _checked(folder: Path, tokenizer: Any) -> Any:
    if tokenizer.eos_token_id is None:
        raise ModelError(f"{folder}: the tokenizer names no end-of-sequence token")
    return tokenizer


def _tokenizer_class(folder: Path) -> Any:
    """The class that a folder names where it is the plain one; else the one that looks further.

    That one takes 2.8 s of a processor to look: it imports what it may need.
    """
    import transformers

    try:
        settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        plain = settings["tokenizer_class"] in CLASSES and (folder / "tokenizer.json").is_file()
    except (OSError, ValueError, KeyError, TypeError):
        plain = False
    return transformers.TokenizersBackend if plain else transformers.AutoTokenizer


def load_base(
    folder: Path, hardware: Hardware, *, training: bool = False, quantized: bool = False
) -> "torch.nn.Module":
    """The base model on the device, in evaluation mode, in the precision of its use.

    ``quantized``: the weights of its linear layers are kept in nf4, with quantized constants.

    Raises ModelError where no family knows the model, and where its weights are pickled or do not
    fit the configuration.
    """
    import torch

    quiet_libraries()
    family = family_at(folder)
    check_weights(folder)
    _check_layers(folder)
    dtype = getattr(torch, hardware.train_dtype if training else hardware.load_dtype)
    how = _in_nf4(dtype, hardware.device) if quantized else {}
    try:
        model, report = family.load(
            folder, dtype=dtype, output_loading_info=True, **FROM_FOLDER, **how
        )
    except Exception as error:
        raise ModelError(f"{folder}: the model cannot be loaded: {_first_line(error)}") from None
    if missing := sorted(report["missing_keys"]):
        raise ModelError(
            f"{folder}: the weights lack {missing[0]} and {len(missing) - 1} other tensors; take a "
            "whole copy of the model"
        )
    if unused := _without_a_layer(report["unexpected_keys"], model):
        raise ModelError(
            f"{folder}: its configuration has no layer for {unused[0]} and {len(unused) - 1} other "
            "tensors of the weights; take a whole copy of the model"
        )
    for layer in model.modules():
        # A CPU's first evaluation would pack 4-bit weights for inference, and training end there.
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            layer.support_avx512bf16_for_cpu = False
    loaded: torch.nn.Module = model.to(hardware.device).eval()
    return loaded


def _check_layers(folder: Path) -> None:
    """Look for the weights of the last layer before layers are built, which may be a million.

    Raises ModelError where the configuration counts more layers than the weights have.
    """
    from safetensors import SafetensorError, safe_open

    claimed = read_config(folder).get("num_hidden_layers")
    if not isinstance(claimed, int) or claimed <= MANY_LAYERS:
        return
    found = 0
    for path in folder.glob("*.safetensors"):
        try:
            with safe_open(path, "pt") as file:
                names = file.keys()
            found = max(found, *(1 + int(n) for name in names for n in _PLACE.findall(name)))
        except (OSError, SafetensorError, TypeError):
            return  # whoever loads it says what is wrong
    if claimed > found:
        raise ModelError(
            f"{folder}: config.json: num_hidden_layers: {claimed}, but the weights have {found}"
        )


def _without_a_layer(unused: Iterable[str], model: "torch.nn.Module") -> list[str]:
    """Weights that belong to a layer, of which the model has none of that number."""
    there = {place for name, _ in model.named_parameters() for place in _PLACE.findall(name)}
    return sorted(key for key in unused if set(_PLACE.findall(key)) - there)


def _in_nf4(dtype: "torch.dtype", device: str) -> dict[str, Any]:
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    return {"quantization_config": config, "device_map": {"": device}}


def quiet_libraries() -> None:
    """Keep notes of libraries that no user can act on off the terminal."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.get_verbosity()  # sets a level of its own, once
    for name in ("bitsandbytes", "transformers", "accelerate", "sentence_transformers", "httpx"):
        logging.getLogger(name).setLevel(logging.ERROR)
    transformers_logging.disable_progress_bar()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
