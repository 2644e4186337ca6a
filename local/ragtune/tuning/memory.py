"""What a training step needs of memory, measured on one sample, and how it is made to fit."""

from dataclasses import dataclass
from typing import Any

import torch

from ragtune.tuning.batches import Batch
from ragtune.tuning.lora import batch_loss

ROOM = 0.8
"""The share of the free memory that a step may take."""

Storages = dict[int, int]


def measured(model: Any, batch: Batch) -> int:
    """Bytes that a forward pass of ``batch`` keeps for the backward pass, weights aside."""
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: Storages = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = batch_loss(model, batch)
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
    """A micro-batch that fits, and whether activations are computed anew in the backward pass."""

    micro_batch: int
    checkpointing: bool
    bytes_a_step: int


def fit(bytes_a_sample: int, micro_batch: int, available: int) -> Fit:
    """Halve the micro-batch until a step fits; where one sample does not, ask for checkpointing."""
    while micro_batch > 1 and bytes_a_sample * micro_batch > ROOM * available:
        micro_batch //= 2
    needed = bytes_a_sample * micro_batch
    return Fit(micro_batch, needed > ROOM * available, needed)
