"""Greedy decoding of a batch, each text as if it were alone.

Prompts of a batch that begin alike are read together up to where they part. A row that ends
leaves the batch. Few rows are given a draft: what followed the last tokens where they stood
before, checked in the same step, since a step takes about as long for eight tokens as for one.

The cache only grows. What is not part of a row (padding, a draft that was wrong) stays in it and
is masked, so rows of different lengths share one.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from ragtune.prompts.instruct import common_prefix

if TYPE_CHECKING:
    import torch

STEP = 8
"""Tokens that a step may read besides costing one: rows times one more than the draft's length."""
LOOKUP = (3, 2, 1)
"""How many of the last tokens are looked for, the longest first (Saxena's prompt lookup, 2023)."""

Prompt = Sequence[int]


@dataclass(frozen=True)
class Group:
    """Prompts that begin with the same ``stem`` tokens; places are those in the list given."""

    places: list[int]
    stem: int


@dataclass(frozen=True)
class Decoded:
    """What a batch wrote, a row a prompt, EOS left out; ``first`` is the time of the first token.

    Times are ``time.perf_counter``'s.
    """

    rows: list[list[int]]
    first: float


def batches(prompts: Sequence[Prompt], size: int) -> Iterator[list[Group]]:
    """Groups, ``size`` prompts or fewer at a time: those with a stem, then those without.

    Neighbours are of like length, so that little is padded.
    """
    groups = [
        Group(group.places[start : start + size], group.stem)
        for group in _grouped(prompts)
        for start in range(0, len(group.places), size)
    ]
    for kind in ([g for g in groups if g.stem], [g for g in groups if not g.stem]):
        batch: list[Group] = []
        for group in sorted(kind, key=lambda g: -(g.stem or len(prompts[g.places[0]]))):
            full = sum(len(g.places) for g in [*batch, group]) > size
            if full or (batch and 2 * group.stem < batch[0].stem):
                yield batch
                batch = []
            batch.append(group)
        if batch:
            yield batch


def _grouped(prompts: Sequence[Prompt]) -> list[Group]:
    """Put together the prompts that share enough of their beginnings to save reading."""
    order = sorted(range(len(prompts)), key=lambda n: list(prompts[n]))
    shared = [
        min(common_prefix(prompts[a], prompts[b]), len(prompts[a]) - 1) for a, b in pairwise(order)
    ]

    def split(start: int, end: int) -> tuple[int, list[Group]]:
        """Tokens saved, and the groups of ``order[start:end]``: one, or cut where least is shared.

        A group without a stem is one prompt.
        """
        if end - start == 1:
            return 0, [Group([order[start]], 0)]
        stem = min(shared[start : end - 1])
        cuts = [n + 1 for n in range(start, end - 1) if shared[n] == stem]
        parts = [split(a, b) for a, b in zip([start, *cuts], [*cuts, end], strict=True)]
        apart = sum(saved for saved, _ in parts)
        together = stem * (end - start - 1)
        if together > apart:
            return together, [Group(order[start:end], stem)]
        return apart, [group for _, groups in parts for group in groups]

    return split(0, len(order))[1] if order else []


def decode(
    model: Any,
    prompts: Sequence[Prompt],
    groups: Sequence[Group],
    *,
    limit: int,
    eos: int,
    hear: Callable[["torch.Tensor"], None] | None = None,
) -> Decoded:
    """Complete the prompts of ``groups``, in the order of their places, up to ``limit`` tokens.

    ``hear`` is given the first row's tokens as they are written, (tokens,) each time.
    """
    import torch

    with torch.inference_mode():
        batch = _Batch(model, prompts, groups)
        found = batch.read()
        first = time.perf_counter()
        heard = 0
        batch.write(found, limit, eos)
        while True:
            if hear and len(batch.written[0]) > heard:
                hear(torch.tensor(batch.written[0][heard:]))
                heard = len(batch.written[0])
            if not batch.active:
                break
            batch.write(batch.step(limit), limit, eos)
    return Decoded(batch.written, first)


class _Batch:
    """The rows of a batch that have not ended, with their cache.

    ``mask`` is (rows, slots of the cache): 1 where a slot holds a token of the row's text.
    """

    def __init__(self, model: Any, prompts: Sequence[Prompt], groups: Sequence[Group]) -> None:
        import torch
        from transformers import DynamicCache

        self.model, self.groups = model, groups
        self.prompts = [list(prompts[n]) for group in groups for n in group.places]
        self.written: list[list[int]] = [[] for _ in self.prompts]
        self.active = list(range(len(self.prompts)))
        self.cache = DynamicCache(config=model.config)
        self.mask = torch.zeros((len(groups), 0), dtype=torch.long, device=model.device)

    def read(self) -> list[list[int]]:
        """Read the prompts, what a group shares once; the token that follows each."""
        stems = [group.stem for group in self.groups for _ in group.places]
        starts = [0, *accumulate(len(group.places) for group in self.groups)]
        if any(stems):
            shared = [self.prompts[start] for start in starts[:-1]]
            self._forward([p[: g.stem] for p, g in zip(shared, self.groups, strict=True)], last=1)
        self._keep([n for n, group in enumerate(self.groups) for _ in group.places])
        tails = [p[stem:] for p, stem in zip(self.prompts, stems, strict=True)]
        return self._forward(tails, last=1)

    def step(self, limit: int) -> list[list[int]]:
        """One forward pass; the tokens that follow each active row's, one or more."""
        texts = [self.prompts[n] + self.written[n] for n in self.active]
        room = STEP // len(texts) - 1
        drafts = [
            _draft(text, min(room, limit - len(self.written[n]) - 1))
            for n, text in zip(self.active, texts, strict=True)
        ]
        width = 1 + max(map(len, drafts))
        read = [[text[-1], *draft] for text, draft in zip(texts, drafts, strict=True)]
        found = self._forward(read, last=width)
        kept = []
        for row, (draft, tokens) in enumerate(zip(drafts, found, strict=True)):
            after = tokens[width - 1 - len(draft) :]
            right = common_prefix(draft, after)
            kept.append(after[: right + 1])
            if right < len(draft):
                self.mask[row, right - len(draft) :] = 0
        return kept

    def write(self, found: list[list[int]], limit: int, eos: int) -> None:
        """Add what was found to each active row; rows that end leave the batch."""
        going = []
        for place, (row, tokens) in enumerate(zip(self.active, found, strict=True)):
            ended = eos in tokens
            self.written[row] += tokens[: tokens.index(eos)] if ended else tokens
            if not ended and len(self.written[row]) < limit:
                going.append(place)
        if 0 < len(going) < len(self.active):
            self._keep(going)
        self.active = [self.active[place] for place in going]

    def _forward(self, rows: list[list[int]], last: int) -> list[list[int]]:
        """Read ``rows``, padded on the left; the likeliest token after each of the ``last``."""
        import torch

        width, device = max(map(len, rows)), self.model.device
        ids = torch.tensor([[0] * (width - len(row)) + row for row in rows], device=device)
        fresh = torch.tensor([[0] * (width - len(r)) + [1] * len(r) for r in rows], device=device)
        self.mask = torch.cat([self.mask, fresh], dim=1)
        logits = self.model(
            input_ids=ids,
            attention_mask=self.mask,
            position_ids=(self.mask.cumsum(1) - 1).clamp(min=0)[:, -width:],
            past_key_values=self.cache,
            logits_to_keep=last,
        ).logits
        likeliest: list[list[int]] = logits.argmax(-1).tolist()
        return likeliest

    def _keep(self, rows: list[int]) -> None:
        """Make the cache's rows those named, which may be named more than once."""
        import torch

        chosen = torch.tensor(rows, device=self.mask.device)
        self.mask = self.mask[chosen]
        self.cache.batch_select_indices(chosen)


def _draft(text: list[int], length: int) -> list[int]:
    """Up to ``length`` tokens that followed the last ones of ``text`` where they stood before."""
    if length < 1:
        return []
    for size in LOOKUP:
        end = text[-size:]
        for start in range(len(text) - size - 1, -1, -1):
            if text[start : start + size] == end:
                return text[start + size : start + size + length]
    return []
