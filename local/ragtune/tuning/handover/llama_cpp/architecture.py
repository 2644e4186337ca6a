"""Which of our models llama.cpp runs, and what it wants to know of one: names, order, rotation."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragtune.core.errors import ModelError

Array = NDArray[Any]
PACKAGE = 'pip install "ragtune[gguf]"'


@dataclass(frozen=True)
class Architecture:
    """What llama.cpp calls a model, and whether it pairs a head's dimensions as Llama first did.

    transformers rotates the two halves of a head against each other; llama.cpp's Llama rotates
    neighbours, so there the rows of q and k are in another order.
    """

    name: str
    neighbours: bool


KNOWN = {
    "llama": Architecture("llama", neighbours=True),
    "mistral": Architecture("llama", neighbours=True),
    "qwen2": Architecture("qwen2", neighbours=False),
    "qwen3": Architecture("qwen3", neighbours=False),
}
"""By `model_type`; each is held against llama.cpp in the tests."""


def architecture_of(config: Any) -> Architecture:
    """What a configuration is to llama.cpp.

    Raises ModelError for one that it would read otherwise, or that is not tested here.
    """
    if config.model_type not in KNOWN:
        allowed = ", ".join(sorted(KNOWN))
        raise ModelError(f"GGUF: a model of type {config.model_type}; allowed: {allowed}")
    if getattr(config, "hidden_act", "silu") != "silu":
        raise ModelError(f"GGUF: hidden_act {config.hidden_act}; allowed: silu")
    if "sliding_attention" in (getattr(config, "layer_types", None) or ()) or (
        config.model_type == "mistral" and config.sliding_window
    ):
        raise ModelError("GGUF: a model with a sliding window; allowed: those without")
    kind = rope(config).get("rope_type", "default")
    if kind not in ("default", "linear", "llama3"):
        raise ModelError(f"GGUF: rope_type {kind}; allowed: default, linear, llama3")
    return KNOWN[config.model_type]


def rope(config: Any) -> dict[str, Any]:
    """The rotation of a configuration."""
    return dict(config.rope_parameters or {})


def head_size(config: Any) -> int:
    """Dimensions of an attention head."""
    given = getattr(config, "head_dim", None)
    return int(given or config.hidden_size // config.num_attention_heads)


def factors(config: Any) -> Array | None:
    """By what Llama 3 divides each frequency (``_compute_llama3_parameters``); None for others."""
    said = rope(config)
    if said.get("rope_type") != "llama3":
        return None
    size, context = head_size(config), said["original_max_position_embeddings"]
    low, high = said["low_freq_factor"], said["high_freq_factor"]
    found = []
    for step in range(0, size, 2):
        turns = context * said["rope_theta"] ** (-step / size) / (2 * math.pi)
        share = min(1.0, max(0.0, (turns - low) / (high - low)))
        found.append(1 / ((1 - share) / said["factor"] + share))
    return np.array(found, dtype=np.float32)


def heads_of(name: str, config: Any) -> int | None:
    """The heads whose rows are in another order in a tensor of that name; None for others."""
    if ".q_proj." in name:
        return int(config.num_attention_heads)
    return int(config.num_key_value_heads) if ".k_proj." in name else None


def to_neighbours(rows: Array, heads: int) -> Array:
    """Rows of q or k, from halves to neighbours; (heads * size, …)."""
    half = len(rows) // heads // 2
    return rows.reshape(heads, 2, half, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def to_halves(rows: Array, heads: int) -> Array:
    """The reverse of `to_neighbours`."""
    half = len(rows) // heads // 2
    return rows.reshape(heads, half, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def library() -> Any:
    """The package ``gguf``.

    Raises ModelError where it is not installed.
    """
    try:
        import gguf
    except ImportError:
        raise ModelError(f"--gguf needs the package gguf: {PACKAGE}") from None
    return gguf


def names(arch: Architecture, layers: int) -> Any:
    """A function from transformers' name of a tensor to llama.cpp's, or None."""
    gguf = library()
    kinds = {value: key for key, value in gguf.MODEL_ARCH_NAMES.items()}
    known = gguf.get_tensor_name_map(kinds[arch.name], layers)
    return lambda name: known.get_name(name, try_suffixes=(".weight", ".bias"))
