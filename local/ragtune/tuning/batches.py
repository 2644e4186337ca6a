"""Samples → the batches of each epoch, and tensors without padding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragtune.prompts.instruct import IGNORED
from ragtune.tuning.samples import Sample

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Batch:
    """Samples end to end in one sequence; nothing is padded.

    ``ids`` and ``positions`` are (1, tokens), positions restart with each segment; ``places`` are
    the positions that predict a supervised token, ``targets`` those tokens.
    """

    ids: "torch.Tensor"
    positions: "torch.Tensor"
    places: "torch.Tensor"
    targets: "torch.Tensor"
    segments: tuple[int, ...]


def epoch_steps(count: int, batch: int, seed: int, epoch: int) -> list[list[int]]:
    """The samples of each optimiser step: an order by seed and epoch, cut to whole batches."""
    import torch

    generator = torch.Generator().manual_seed(seed * 100_003 + epoch)
    order: list[int] = torch.randperm(count, generator=generator).tolist()
    return [order[start : start + batch] for start in range(0, count - batch + 1, batch)]


def micro_batches(samples: Sequence[Sample], size: int) -> list[list[Sample]]:
    """Cut a step's samples into micro-batches, longest first: what may not fit fails at once."""
    ordered = sorted(samples, key=lambda s: -len(s.ids))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def collate(samples: Sequence[Sample], device: str = "cpu") -> Batch:
    """Lay samples end to end, and find what each segment predicts: nothing beyond its own end."""
    import torch

    segments = tuple(n for s in samples for n in s.lengths)
    labels = torch.tensor([label for s in samples for label in s.labels])
    firsts = torch.tensor([0, *segments[:-1]]).cumsum(0)
    labels[firsts] = IGNORED
    supervised = (labels != IGNORED).nonzero()[:, 0]
    return Batch(
        ids=torch.tensor([[i for s in samples for i in s.ids]], device=device),
        positions=torch.cat([torch.arange(n) for n in segments])[None].to(device),
        places=(supervised - 1).to(device),
        targets=labels[supervised].to(device),
        segments=segments,
    )
