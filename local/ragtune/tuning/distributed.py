"""The processes that train together: each takes a share of a step's samples."""

import os
from collections.abc import Sequence
from typing import Any

import torch


class Team:
    """One process by itself: it takes everything, and what it has is the sum."""

    rank = 0
    size = 1

    def add(self, tensors: Sequence[torch.Tensor]) -> None:
        """Replace each tensor by its sum over the processes."""


class Accelerated(Team):
    """A process among those that ``accelerate`` finds described in the environment."""

    def __init__(self) -> None:
        from accelerate import PartialState

        self._state: Any = PartialState(cpu=not torch.cuda.is_available())
        self.rank, self.size = self._state.process_index, self._state.num_processes

    def add(self, tensors: Sequence[torch.Tensor]) -> None:
        """Replace each tensor by its sum over the processes, all in one message."""
        from accelerate.utils import reduce

        flat = torch.cat([t.detach().reshape(-1) for t in tensors])
        summed = reduce(flat, reduction="sum")
        sizes = [t.numel() for t in tensors]
        for tensor, part in zip(tensors, torch.split(summed, sizes), strict=True):
            tensor.copy_(part.view_as(tensor))

    def leave(self) -> None:
        """Say goodbye to the others."""
        self._state.destroy_process_group()


def environment(rank: int, size: int, port: int) -> dict[str, str]:
    """The variables by which a process on this machine finds the others."""
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size}
    return {
        **os.environ,
        **{name: str(value) for name, value in place.items()},
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
