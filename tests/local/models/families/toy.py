"""A family that ragtune does not know by itself: Qwen2, with biases in its projections."""

from pathlib import Path

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from ragtune.models.families.base import Decoder


class Toy(Decoder):
    """Causal attention alone mixes tokens."""

    name = "qwen2"
    segments = True


def write(folder: Path) -> None:
    """A model of random weights, wide enough apart that it says several things."""
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=320,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=768,
        initializer_range=0.2,
        tie_word_embeddings=False,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
