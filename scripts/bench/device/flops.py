"""How much of a card's arithmetic a run used: model-FLOP utilisation.

PaLM (Chowdhery et al. 2022, appendix B) counts, a token of training, ``6 N`` FLOPs for ``N``
parameters of matrices (2 forward, 2 for the gradient of what a matrix read, 2 for that of its
weights) and ``12 L H Q T`` for attention over ``L`` layers of ``H`` heads of ``Q`` channels and a
sequence of ``T`` tokens, causal or not. MFU is that times tokens a second, divided by the card's
peak; what is computed twice, as with gradient checkpointing, counts once.

With LoRA no gradient of a frozen weight is computed, so a frozen parameter counts 4 instead of 6;
LoRA's own parameters count 6. The embedding is looked up and multiplies nothing, so it is no part
of ``N`` unless the head shares its weights, which counts once, as the head. At 4 bits the FLOPs
are the same: unpacking is not counted.
"""

import re
from collections.abc import Mapping
from typing import Any

TERA = 1e12
PEAKS = {
    "H200": 989.4,
    "H100 PCIe": 756.0,
    "H100 NVL": 835.5,
    "H100": 989.4,
    "A100": 312.0,
    "A10G": 70.0,
    "L40S": 362.05,
    "L4": 121.0,
    "RTX 4090": 165.2,
}
"""TFLOP/s in bf16 with fp32 sums and without sparsity, as in NVIDIA's data sheets; the first name
that a card's name holds. A10G: AWS's g5 page, as NVIDIA publishes no sheet of it."""


def matrix_parameters(config: Mapping[str, Any]) -> int:
    """Parameters of a Llama's matrices, its head's included and its embedding's not."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    queries = config["num_attention_heads"] * config["head_dim"]
    keys = config["num_key_value_heads"] * config["head_dim"]
    layer = 2 * width * queries + 2 * width * keys + 3 * width * inner
    return int(config["num_hidden_layers"] * layer + width * config["vocab_size"])


def attention_flops(config: Mapping[str, Any], tokens: int) -> int:
    """FLOPs a token of attention over ``tokens``, forward and backward: ``12 L H Q T``."""
    heads = config["num_attention_heads"] * config["head_dim"]
    return int(12 * config["num_hidden_layers"] * heads * tokens)


def lora_flops(config: Mapping[str, Any], trained: int, tokens: int) -> int:
    """FLOPs a token of LoRA training in sequences of ``tokens``, ``trained`` parameters aside."""
    return 4 * matrix_parameters(config) + 6 * trained + attention_flops(config, tokens)


def peak(card: str) -> float | None:
    """A card's FLOP/s in bf16 by its data sheet; None for one that is not in the list."""
    return next((tera * TERA for name, tera in PEAKS.items() if _named(name, card)), None)


def _named(name: str, card: str) -> bool:
    """As whole words: an L40 is no L4."""
    return re.search(rf"\b{name}\b", card) is not None


def utilisation(tokens_a_second: float, flops_a_token: int, peak: float) -> float:
    """The share of the peak that was used."""
    return tokens_a_second * flops_a_token / peak
