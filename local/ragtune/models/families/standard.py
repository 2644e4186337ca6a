"""Decoders that differ from Llama in nothing that has to be said here.

Biases, norms, rotary positions and sliding windows are the model's own affair: attention is given
the window of each layer (``tuning/kernels/attention.py``), and so is the cache.
"""

from ragtune.models.families.base import Decoder
from ragtune.recipe.tune import PROJECTIONS

ATTENTION = PROJECTIONS[:4]
FUSED = ("qkv_proj", "o_proj", "gate_up_proj", "down_proj")
"""Projections of decoders that compute query, key and value as one, and the gate with the rest."""
GATE_FUSED = (*ATTENTION, "gate_up_proj", "down_proj")
UNGATED = (*ATTENTION, "up_proj", "down_proj")


class Standard(Decoder):
    """Causal attention, logits straight from ``lm_head``, projections by their usual names."""

    segments = True

    def __init__(
        self, name: str, targets: tuple[str, ...] = PROJECTIONS, direct: bool = False
    ) -> None:
        self.name, self.targets, self.direct = name, targets, direct


STANDARD = (
    *(Standard(name, direct=True) for name in ("qwen2", "qwen3", "mistral")),
    *map(Standard, ("ministral", "ministral3", "smollm3")),
    *map(Standard, ("olmo2", "olmo3", "gemma", "exaone4", "seed_oss", "ernie4_5", "helium")),
    Standard("hunyuan_v1_dense"),
    Standard("phi3", FUSED),
    Standard("phi", ("q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2")),
    Standard("starcoder2", (*ATTENTION, "c_fc", "c_proj")),
    *(Standard(name, GATE_FUSED) for name in ("glm", "glm4")),
    *(Standard(name, UNGATED) for name in ("arcee", "apertus")),
)
