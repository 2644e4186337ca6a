"""Base model, adapter, tokenizer and embedder: find them, check them, load them.

Everything is read from a local folder; a hub id becomes one through ``hub.snapshot``.
"""

import hashlib
import importlib.util
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import hub, smollm
from local.builtin import BUILTIN, builtin_embedder, builtin_model
from local.errors import ModelError, RecipeError
from local.recipe import Recipe

if TYPE_CHECKING:
    import torch

WEIGHTS = ("*.safetensors", "*.bin")


@dataclass(frozen=True)
class Hardware:
    """Where this process computes, and what was chosen because of it.

    ``train_dtype`` is that of the frozen weights and the activations in training; ``load_dtype``
    that of the weights while answering.
    """

    device: str
    name: str
    threads: int
    train_dtype: str
    load_dtype: str

    def to_json(self) -> dict[str, Any]:
        """The fields, for ``results.json``."""
        return asdict(self)


def probe() -> Hardware:
    """Look at the machine: CUDA, then MPS, then CPU; bf16 only where the processor computes it.

    Training is in bf16, as in the cloud, or else in fp32: fp16 would need its loss scaled.

    A CPU without bf16 instructions emulates them at a fraction of fp32's speed, so the flags
    decide, not what the library accepts. On CPU answers are decoded in fp32: in bf16 an answer
    would depend on the batch that it was decoded in.
    """
    import torch

    threads = torch.get_num_threads()
    if torch.cuda.is_available():
        modern = torch.cuda.is_bf16_supported(including_emulation=False)
        train, load = ("bfloat16", "bfloat16") if modern else ("float32", "float16")
        return Hardware("cuda", torch.cuda.get_device_name(), threads, train, load)
    if torch.backends.mps.is_available():
        return Hardware("mps", "Apple MPS", threads, "float32", "float32")
    flags = torch.cpu.get_capabilities()
    fast = bool(flags.get("amx_bf16") or flags.get("avx512_bf16"))
    name = str(flags.get("cpu_name", "CPU"))
    return Hardware("cpu", name, threads, "bfloat16" if fast else "float32", "float32")


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


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer beside a model; one that has no pad token pads with EOS.

    Raises ModelError where there is none or it names no EOS.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:
        raise ModelError(f"{folder}: no usable tokenizer: {_first_line(error)}") from None
    if tokenizer.eos_token_id is None:
        raise ModelError(f"{folder}: the tokenizer names no end-of-sequence token")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def quantizes(hardware: Hardware) -> bool:
    """Whether bitsandbytes is here and computes in 4 bits on the device: CUDA and CPU."""
    return hardware.device != "mps" and importlib.util.find_spec("bitsandbytes") is not None


def load_base(
    folder: Path, hardware: Hardware, *, training: bool = False, quantized: bool = False
) -> "torch.nn.Module":
    """The base model on the device, in evaluation mode, in the precision of its use.

    ``quantized``: the weights of its linear layers are kept in nf4, with quantized constants.

    Raises ModelError where the weights do not fit the configuration.
    """
    import torch
    from transformers import LlamaForCausalLM

    quiet_libraries()
    dtype = getattr(torch, hardware.train_dtype if training else hardware.load_dtype)
    how = _in_nf4(dtype, hardware.device) if quantized else {}
    try:
        model = LlamaForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True, **how)
    except Exception as error:
        raise ModelError(f"{folder}: the model cannot be loaded: {_first_line(error)}") from None
    for layer in model.modules():
        # A CPU's first evaluation would pack 4-bit weights for inference, and training end there.
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            layer.support_avx512bf16_for_cpu = False
    loaded: torch.nn.Module = model.to(hardware.device).eval()
    if not training:
        from local.linear import through_onednn

        through_onednn(loaded)
    return loaded


def _in_nf4(dtype: "torch.dtype", device: str) -> dict[str, Any]:
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    return {"quantization_config": config, "device_map": {"": device}}


def check_adapter(adapter: Path, template_hash: str) -> None:
    """Raise ModelError for an adapter that is missing or was tuned with another template."""
    note = adapter / "ragtune.json"
    if not note.exists():
        raise ModelError(f"{adapter}: no adapter of ragtune's there")
    tuned_with = json.loads(note.read_text(encoding="utf-8"))["template_hash"]
    if tuned_with != template_hash:
        raise ModelError(
            f"{adapter}: tuned with template {tuned_with[:8]}, asked with {template_hash[:8]}; "
            "tune again with the recipe's template"
        )


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


def context_length(model_or_folder: Path) -> int:
    """How many positions the model was made for."""
    config = json.loads((model_or_folder / "config.json").read_text(encoding="utf-8"))
    return int(config.get("max_position_embeddings", 2048))


def quiet_libraries() -> None:
    """Keep notes of libraries that no user can act on off the terminal."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.get_verbosity()  # sets a level of its own, once
    for name in ("bitsandbytes", "transformers", "accelerate", "sentence_transformers", "httpx"):
        logging.getLogger(name).setLevel(logging.ERROR)
    transformers_logging.disable_progress_bar()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
