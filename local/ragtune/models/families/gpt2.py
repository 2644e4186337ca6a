"""GPT-2 (Radford et al. 2019): learned positions, and layers whose weights lie the other way."""

from typing import Any

from ragtune.models.families.base import Decoder


class GPT2(Decoder):
    """``transformer`` below ``lm_head``; query, key and value are one layer."""

    name = "gpt2"
    targets = ("c_attn", "c_proj", "c_fc")
    segments = True

    def backbone(self, model: Any) -> Any:
        """``model.transformer``."""
        return model.transformer
