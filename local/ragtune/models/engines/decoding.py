"""Greedy decoding of a batch, each text as if it were alone.

Prompts of a batch that begin alike are read together up to where they part. A row that ends
leaves the batch. Few rows are given a draft: what followed the last tokens where they occurred
before, checked in the same step, since a step takes about as long for eight tokens as for one.

The cache only grows. What is not part of a row (padding, a draft that was wrong) stays in it and
is masked, so rows of different lengths share one. A layer with a sliding window is masked by the
tokens of the row that lie between, not by slots of the cache.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

import torch
from transformers import DynamicCache

from ragtune.models.engines.cache import roomy
from ragtune.prompts.base import common_prefix

STEP = 8
"""Tokens that a step may read besides costing one: rows times one more than the draft's length."""
LOOKUP = (3, 2, 1)
"""How many of the last tokens are looked for, the longest first (Saxena's prompt lookup, 2023)."""

Ids = Sequence[int]


@dataclass(frozen=True)
class Group:
    """Prompts that begin with the same ``stem`` tokens; places are those in the list given."""

    places: list[int]
    stem: int


def batches(prompts: Sequence[Ids], size: int) -> Iterator[list[Group]]:
    """Groups, ``size`` prompts or fewer at a time: those with a stem, then those without.

    Neighbours are of similar length, so that little is padded.
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


@dataclass
class _Node:
    """Neighbours in sorted order that share ``stem`` tokens, cut where no more is shared.

    ``start`` and ``end`` are places in that order; ``saved`` counts the tokens that the groups
    made of it need not read.
    """

    start: int
    stem: int
    end: int = 0
    saved: int = 0
    parts: list["_Node"] = field(default_factory=list)

    def closed(self, last: "_Node") -> "_Node":
        """The node with its last part: one group where that saves more than its parts do."""
        self.parts.append(last)
        self.end = last.end
        self.saved = sum(part.saved for part in self.parts)
        together = self.stem * (self.end - self.start - 1)
        if together > self.saved:
            self.saved, self.parts = together, []
        return self


def _grouped(prompts: Sequence[Ids]) -> list[Group]:
    """Put together the prompts that share enough of their beginnings to save reading.

    The tree of shared beginnings is as deep as prompts nest, so it is built and walked without
    recursion: from left to right, a node is open as long as its stem is shared.
    """
    order = sorted(range(len(prompts)), key=lambda n: list(prompts[n]))
    if not order:
        return []
    shared = [
        min(common_prefix(prompts[a], prompts[b]), len(prompts[a]) - 1) for a, b in pairwise(order)
    ]
    opened: list[_Node] = []
    last = _Node(0, 0, end=1)
    for n, stem in enumerate(shared, 1):
        while opened and opened[-1].stem > stem:
            last = opened.pop().closed(last)
        if not opened or opened[-1].stem < stem:
            opened.append(_Node(last.start, stem))
        opened[-1].parts.append(last)
        last = _Node(n, 0, end=n + 1)
    while opened:
        last = opened.pop().closed(last)
    groups: list[Group] = []
    left = [last]
    while left:
        node = left.pop()
        if node.parts:
            left += reversed(node.parts)
        else:
            groups.append(Group(order[node.start : node.end], node.stem))
    return groups


@torch.inference_mode()
def decode(
    model: Any,
    prompts: Sequence[Ids],
    groups: Sequence[Group],
    *,
    limit: int,
    ends: AbstractSet[int],
) -> Iterator[list[list[int]]]:
    """Complete the prompts of ``groups``, up to ``limit`` tokens or one of ``ends``, left out.

    Yields after each step what every row has written so far, in the order of the groups' places:
    the same lists each time, which grow.
    """
    batch = _Batch(model, prompts, groups)
    batch.write(batch.read(), limit, ends)
    yield batch.written
    while batch.active:
        batch.write(batch.step(limit), limit, ends)
        yield batch.written


class _Batch:
    """The rows of a batch that have not ended, with their cache.

    ``mask`` is (rows, slots of the cache): 1 where a slot holds a token of the row's text.
    """

    def __init__(self, model: Any, prompts: Sequence[Ids], groups: Sequence[Group]) -> None:
        self.model, self.groups = model, groups
        self.prompts = [list(prompts[n]) for group in groups for n in group.places]
        self.written: list[list[int]] = [[] for _ in self.prompts]
        self.active = list(range(len(self.prompts)))
        self.windows = sliding_windows(model.config)
        # Without the configuration every layer keeps all keys: which to see is for the mask.
        self.cache = roomy(None if self.windows else model.config)
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

    def write(self, found: list[list[int]], limit: int, ends: AbstractSet[int]) -> None:
        """Add what was found to each active row; rows that end leave the batch."""
        going = []
        for place, (row, tokens) in enumerate(zip(self.active, found, strict=True)):
            end = next((n for n, token in enumerate(tokens) if token in ends), None)
            self.written[row] += tokens[:end]
            if end is None and len(self.written[row]) < limit:
                going.append(place)
        if 0 < len(going) < len(self.active):
            self._keep(going)
        self.active = [self.active[place] for place in going]

    def _forward(self, rows: list[list[int]], last: int) -> list[list[int]]:
        """Read ``rows``, padded on the left; the likeliest token after each of the ``last``."""
        width, device = max(map(len, rows)), self.model.device
        ids = torch.tensor([[0] * (width - len(row)) + row for row in rows], device=device)
        fresh = torch.tensor([[0] * (width - len(r)) + [1] * len(r) for r in rows], device=device)
        self.mask = torch.cat([self.mask, fresh], dim=1)
        logits = self.model(
            input_ids=ids,
            attention_mask=self._seen(width) if self._slides() else self.mask,
            position_ids=(self.mask.cumsum(1) - 1).clamp(min=0)[:, -width:],
            past_key_values=self.cache,
            logits_to_keep=last,
        ).logits
        likeliest: list[list[int]] = logits.argmax(-1).tolist()
        return likeliest

    def _slides(self) -> bool:
        """Whether a window is shorter than what is in the cache."""
        return any(size and size < self.mask.shape[1] for size in self.windows.values())

    def _seen(self, width: int) -> Any:
        """What the last ``width`` slots see, for each kind of layer: (rows, 1, width, slots)."""
        places = self.mask.cumsum(1)
        behind = places[:, -width:, None] - places[:, None, :]
        seen = (behind >= 0) & self.mask.bool()[:, None, :]
        # A slot that is no part of the row sees itself: something has to be seen.
        own = torch.eye(self.mask.shape[1], dtype=torch.bool, device=seen.device)[-width:]
        kinds: dict[str, torch.Tensor] = {}
        for kind, window in self.windows.items():
            near = seen if window is None else seen & (behind < window)
            kinds[kind] = self._as_attention_reads_it((near | own)[:, None])
        return kinds if len(kinds) > 1 else next(iter(kinds.values()))

    def _as_attention_reads_it(self, seen: torch.Tensor) -> torch.Tensor:
        if self.model.config._attn_implementation != "eager":
            return seen
        dtype = self.model.dtype
        hidden = torch.zeros(seen.shape, dtype=dtype, device=seen.device)
        return hidden.masked_fill_(~seen, torch.finfo(dtype).min)

    def _keep(self, rows: list[int]) -> None:
        """Make the cache's rows those named, which may be named more than once."""
        chosen = torch.tensor(rows, device=self.mask.device)
        self.mask = self.mask[chosen]
        self.cache.batch_select_indices(chosen)


def sliding_windows(config: Any) -> dict[str, int | None]:
    """The kinds of attention layers, each with its window in tokens; empty where none has one."""
    layers = DynamicCache(config=config).layers
    kinds = getattr(config, "layer_types", None) or ["attention"] * len(layers)
    found = {
        kind: getattr(layer, "sliding_window", None)
        for kind, layer in zip(kinds, layers, strict=True)
    }
    return found if any(found.values()) else {}


def _draft(text: list[int], length: int) -> list[int]:
    """Up to ``length`` tokens that followed the last ones where they occurred before."""
    if length < 1:
        return []
    for size in LOOKUP:
        end = text[-size:]
        for start in range(len(text) - size - 1, -1, -1):
            if text[start : start + size] == end:
                return text[start + size : start + size + length]
    return []
