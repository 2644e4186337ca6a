"""What a training step needs of memory, measured on one sample, and how it is made to fit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from ragtune.core.errors import ModelError
from ragtune.models.families.base import ModelFamily
from ragtune.tuning.batches import Batch
from ragtune.tuning.checkpoint import Progress
from ragtune.tuning.lora import batch_loss
from ragtune.tuning.passes import Passes
from ragtune.tuning.samples import Sample

ROOM = 0.8
"""The share of the free memory that a step may take."""

Storages = dict[int, int]


def measured(model: Any, batch: Batch, family: ModelFamily) -> int:
    """Bytes that a forward pass of ``batch`` keeps for the backward pass, weights aside."""
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: Storages = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = batch_loss(model, batch, family)
    del loss
    return sum(kept.values())


def free(device: str) -> int:
    """Bytes that this process can still take on the device."""
    if device == "cuda":
        return torch.cuda.mem_get_info()[0]
    import psutil

    return int(psutil.virtual_memory().available)


def is_exhausted(error: RuntimeError) -> bool:
    """Whether an error says that memory ran out, on whichever device."""
    said = str(error)
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in said


@dataclass(frozen=True)
class Fit:
    """A micro-batch that fits, and whether activations are computed again in the backward pass."""

    micro_batch: int
    checkpointing: bool
    bytes_a_step: int


def fit(bytes_a_sample: int, micro_batch: int, available: int) -> Fit:
    """Halve the micro-batch until a step fits; where one sample does not, ask for checkpointing."""
    while micro_batch > 1 and bytes_a_sample * micro_batch > ROOM * available:
        micro_batch //= 2
    needed = bytes_a_sample * micro_batch
    return Fit(micro_batch, needed > ROOM * available, needed)


class Room:
    """A run's micro-batch, kept to the memory there is; what that takes is said to ``note``.

    ``asked`` is the recipe's micro-batch. ``progress.micro_batch`` is the one in use.
    """

    def __init__(
        self, passes: Passes, progress: Progress, asked: int, note: Callable[[str], None]
    ) -> None:
        self._passes, self._progress, self._asked, self._note = passes, progress, asked, note

    def fit(self, longest: Sample, device: str) -> None:
        """Measure what one sample keeps, and make a step fit."""
        try:
            needed = self._passes.kept(longest)
        except RuntimeError as error:
            if not is_exhausted(error):
                raise
            self._recompute()
            return
        found = fit(needed, self._progress.micro_batch, free(device))
        while self._progress.micro_batch > found.micro_batch:
            self.shrink()
        if found.checkpointing:
            self._recompute()

    def shrink(self) -> None:
        """Halve the micro-batch; a step still takes as many samples.

        Raises ModelError when there is nothing left to halve.
        """
        if self._progress.micro_batch > 1:
            self._progress.micro_batch //= 2
            self._note(
                f"micro-batches of {self._progress.micro_batch} instead of {self._asked}: memory "
                "is short"
            )
        elif not self._recompute():
            raise ModelError(
                "out of memory with one sample a micro-batch; lower tune.max_input_length or take "
                "a smaller model.local"
            )

    def _recompute(self) -> bool:
        if not self._passes.recompute():
            return False
        self._note("activations are computed twice (checkpointing): memory is short")
        return True
