"""Samples → the batches of each epoch, and their tensors: side by side, or padded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragtune.prompts.base import IGNORED
from ragtune.tuning.samples import Sample

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Batch:
    """What a step reads at once, (rows, tokens); no part of a sample sees another.

    Side by side: one row, its ``segments`` are the lengths of the parts, and nothing is padded.
    Padded: a row a part, no segments, and a ``mask`` of 1 at its tokens and 0 behind them, where
    rows differ in length. ``positions`` restart with each part. ``places`` are those that predict
    a supervised token, counted over the flattened rows; ``targets`` are those tokens.
    """

    ids: "torch.Tensor"
    positions: "torch.Tensor"
    places: "torch.Tensor"
    targets: "torch.Tensor"
    segments: tuple[int, ...] = ()
    mask: "torch.Tensor | None" = None


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


def collate(samples: Sequence[Sample], device: str = "cpu", *, segments: bool = True) -> Batch:
    """Lay samples side by side, or pad their parts where the family knows no ``segments``.

    A part predicts nothing beyond its own end.
    """
    return _side_by_side(samples, device) if segments else _padded(samples, device)


def _side_by_side(samples: Sequence[Sample], device: str) -> Batch:
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


def _padded(samples: Sequence[Sample], device: str) -> Batch:
    import torch

    lengths = [n for s in samples for n in s.lengths]
    rows, width = len(lengths), max(lengths)
    ids = torch.zeros((rows, width), dtype=torch.long)
    labels = torch.full((rows, width), IGNORED)
    real = torch.arange(width)[None] < torch.tensor(lengths)[:, None]
    # Parts follow one another row by row, which is the order a mask is filled in.
    ids[real] = torch.tensor([i for s in samples for i in s.ids])
    labels[real] = torch.tensor([label for s in samples for label in s.labels])
    labels[:, 0] = IGNORED
    supervised = (labels.flatten() != IGNORED).nonzero()[:, 0]
    return Batch(
        ids=ids.to(device),
        positions=torch.arange(width).expand(rows, width).to(device),
        places=(supervised - 1).to(device),
        targets=labels.flatten()[supervised].to(device),
        mask=None if min(lengths) == width else real.long().to(device),
    )
