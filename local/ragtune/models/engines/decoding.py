"""Greedy decoding of a batch, each text as if it were alone.

Prompts of a batch that begin alike are read together up to where they part. A row that ends
leaves the batch. Few rows are given a draft: what followed the last tokens where they occurred
before, checked in the same step, since a step takes about as long for eight tokens as for one.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import accumulate
from typing import Protocol

import torch

from ragtune.models.engines.groups import Group, Ids
from ragtune.prompts.base import common_prefix

STEP = 8
"""Tokens that a step may read besides costing one: rows times one more than the draft's length."""
LOOKUP: tuple[int, ...] = (3, 2, 1)
"""How many of the last tokens are looked for, the longest first (Saxena's prompt lookup, 2023)."""


class Reader(Protocol):
    """A model with the keys and values of what each row of a batch has read so far."""

    def read(self, rows: Sequence[Ids], last: int) -> list[list[int]]:
        """Read on in each row; the likeliest token after each of a row's last ``last`` tokens."""

    def keep(self, rows: Sequence[int]) -> None:
        """Make the rows those named, which may be named more than once."""

    def forget(self, row: int, tokens: int) -> None:
        """Take the last ``tokens`` of a row back."""


@torch.inference_mode()
def decode(
    reader: Callable[[int], Reader],
    prompts: Sequence[Ids],
    groups: Sequence[Group],
    *,
    limit: int,
    ends: AbstractSet[int],
    weak: int = STEP,
) -> Iterator[list[list[int]]]:
    """Complete the prompts of ``groups``, up to ``limit`` tokens or one of ``ends``, left out.

    ``reader`` gives an empty one of so many rows; ``weak`` is how many tokens are tried where only
    the last one occurred before. Yields after each step what every row has written
    so far, in the order of the groups' places: the same lists each time, which grow.
    """
    batch = _Batch(reader(len(groups)), prompts, groups, weak)
    batch.write(batch.read(), limit, ends)
    yield batch.written
    while batch.active:
        batch.write(batch.step(limit), limit, ends)
        yield batch.written


class _Batch:
    """The rows of a batch that have not ended."""

    def __init__(
        self, reader: Reader, prompts: Sequence[Ids], groups: Sequence[Group], weak: int
    ) -> None:
        self.reader, self.groups, self.weak = reader, groups, weak
        self.prompts = [list(prompts[n]) for group in groups for n in group.places]
        self.written: list[list[int]] = [[] for _ in self.prompts]
        self.active = list(range(len(self.prompts)))

    def read(self) -> list[list[int]]:
        """Read the prompts, what a group shares once; the token that follows each."""
        stems = [group.stem for group in self.groups for _ in group.places]
        starts = [0, *accumulate(len(group.places) for group in self.groups)]
        if any(stems):
            shared = [self.prompts[start] for start in starts[:-1]]
            rows = [p[: g.stem] for p, g in zip(shared, self.groups, strict=True)]
            self.reader.read(rows, last=1)
        self.reader.keep([n for n, group in enumerate(self.groups) for _ in group.places])
        tails = [p[stem:] for p, stem in zip(self.prompts, stems, strict=True)]
        return self.reader.read(tails, last=1)

    def step(self, limit: int) -> list[list[int]]:
        """One forward pass; the tokens that follow each active row's, one or more."""
        texts = [self.prompts[n] + self.written[n] for n in self.active]
        room = STEP // len(texts) - 1
        drafts = [
            _draft(text, min(room, limit - len(self.written[n]) - 1), self.weak)
            for n, text in zip(self.active, texts, strict=True)
        ]
        rows = [[text[-1], *draft] for text, draft in zip(texts, drafts, strict=True)]
        found = self.reader.read(rows, last=max(map(len, rows)))
        kept = []
        for row, (draft, after) in enumerate(zip(drafts, found, strict=True)):
            right = common_prefix(draft, after)
            kept.append(after[: right + 1])
            if right < len(draft):
                self.reader.forget(row, len(draft) - right)
        return kept

    def write(self, found: list[list[int]], limit: int, ends: AbstractSet[int]) -> None:
        """Add what was found to each active row; rows that end leave the batch."""
        going = []
        for place, (row, tokens) in enumerate(zip(self.active, found, strict=True)):
            end = next((n for n, token in enumerate(tokens) if token in ends), None)
            self.written[row] += tokens[:end]
            if end is None and len(self.written[row]) < limit:
                going.append(place)
        if 0 < len(going) < len(self.active):
            self.reader.keep(going)
        self.active = [self.active[place] for place in going]


def _draft(text: list[int], length: int, weak: int) -> list[int]:
    """Up to ``length`` tokens that followed the last ones where they occurred before.

    They are up to ``weak`` where that is true of the last one alone.
    """
    if length < 1:
        return []
    for size in LOOKUP:
        end = text[-size:]
        for start in range(len(text) - size - 1, -1, -1):
            if text[start : start + size] == end:
                most = min(length, weak) if size == 1 else length
                return text[start + size : start + size + most]
    return []
