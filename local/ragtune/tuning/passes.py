"""What a training run asks of a model: gradients, losses, and how much a pass keeps."""

from collections.abc import Sequence
from typing import Protocol

from ragtune.tuning.samples import Sample


class Passes(Protocol):
    """A model with LoRA in it, computed in one way or another."""

    def gradients(self, samples: Sequence[Sample], tokens: int, seed: int) -> float:
        """Add the gradients of the summed loss / ``tokens`` to those of the master weights.

        Returns the summed loss, in nats; ``seed`` decides what dropout drops. Raises RuntimeError
        where memory runs out; what was added then is to be forgotten.
        """

    def losses(self, samples: Sequence[Sample], size: int) -> float:
        """The summed loss, in nats, without dropout; ``size`` samples are read at once."""

    def kept(self, sample: Sample) -> int:
        """Bytes that a forward pass of a sample keeps for the backward pass, weights aside."""

    def recompute(self) -> bool:
        """Keep less and compute it twice from now on; False where that is so already."""

    def close(self) -> None:
        """Leave nothing running."""
