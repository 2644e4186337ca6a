"""Decoders that differ from Llama in nothing that has to be said here.

Biases, norms, rotary positions and sliding windows are the model's own affair: attention is given
the window of each layer (``tuning/kernels/attention.py``), and so is the cache.
"""

from ragtune.models.families.base import Decoder
from ragtune.recipe.tune import PROJECTIONS

FUSED = ("qkv_proj", "o_proj", "gate_up_proj", "down_proj")
"""Projections of decoders that compute query, key and value as one, and the gate with the rest."""


class Standard(Decoder):
    """Causal attention, logits straight from ``lm_head``, projections by their usual names."""

    segments = True

    def __init__(self, name: str, targets: tuple[str, ...] = PROJECTIONS) -> None:
        self.name, self.targets = name, targets


STANDARD = (
    *map(Standard, ("qwen2", "qwen3", "mistral", "smollm3", "olmo2")),
    Standard("phi3", FUSED),
)
