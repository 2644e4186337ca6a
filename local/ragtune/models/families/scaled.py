"""Decoders whose logits are scaled or capped: Gemma (Gemma Team 2024, 2025), Granite (IBM 2024)."""

from typing import Any

from ragtune.models.families.base import Decoder, Head


class Gemma(Decoder):
    """Gemma 2 and 3: logits softly capped where the configuration says so, sliding windows.

    Scores of Gemma 2 are capped as well: transformers computes its attention as plain products.
    """

    segments = True

    def __init__(self, name: str) -> None:
        self.name = name

    def head(self, model: Any) -> Head:
        """With the configuration's soft cap."""
        return Head(model.lm_head.weight, softcap=model.config.final_logit_softcapping)


class Granite(Decoder):
    """Logits divided by a number of the configuration."""

    name = "granite"
    segments = True

    def head(self, model: Any) -> Head:
        """With the configuration's scale."""
        return Head(model.lm_head.weight, scale=1 / model.config.logits_scaling)
