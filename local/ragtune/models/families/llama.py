"""Llama (Touvron et al. 2023), and what has its configuration: SmolLM2, TinyLlama, Vicuna."""

from ragtune.models.families.base import Decoder


class Llama(Decoder):
    """Causal attention over the whole sequence, logits straight from ``lm_head``."""

    name = "llama"
    segments = True
    direct = True
