"""The passes as transformers, PEFT and autograd compute them, for any model and device."""

from collections.abc import Sequence
from typing import Any

import torch

from ragtune.models.families.base import ModelFamily
from ragtune.tuning import lora, memory
from ragtune.tuning.batches import Batch, collate, micro_batches
from ragtune.tuning.samples import Sample


class AutogradPasses:
    """``model`` is one that ``lora.with_lora`` made, of that family; ``weights`` are its own."""

    def __init__(
        self, model: Any, weights: lora.MasterWeights, family: ModelFamily, device: str
    ) -> None:
        self.model, self.weights, self.family, self.device = model, weights, family, device

    def gradients(self, samples: Sequence[Sample], tokens: int, seed: int) -> float:
        """Collected in fp32 after each backward pass."""
        torch.manual_seed(seed)
        loss = lora.batch_loss(self.model, self._collate(samples), self.family)
        (loss / tokens).backward()  # type: ignore[no-untyped-call]
        self.weights.collect()
        return loss.item()

    @torch.inference_mode()
    def losses(self, samples: Sequence[Sample], size: int) -> float:
        """Batch by batch, the longest samples first."""
        self.model.eval()
        total = 0.0
        for micro in micro_batches(samples, size):
            total += lora.batch_loss(self.model, self._collate(micro), self.family).item()
        self.model.train()
        return total

    def kept(self, sample: Sample) -> int:
        """Counted in a forward pass."""
        return memory.measured(self.model, self._collate([sample]), self.family)

    def recompute(self) -> bool:
        """Activation checkpointing of transformers."""
        base = self.model.get_base_model()
        if base.is_activation_checkpointing:
            return False
        base.activation_checkpointing_enable({"use_reentrant": False})
        return True

    def close(self) -> None:
        """Nothing runs beside the passes."""

    def _collate(self, samples: Sequence[Sample]) -> Batch:
        return collate(samples, self.device, segments=self.family.segments)
