"""Attention of rows of different lengths, side by side, each token as if its row were alone.

Keys are taken in whole blocks and what a token must not see is masked, so each sum has the same
terms in the same order however long the other rows are, and wherever a row is cut into what a batch
shares and what it does not. oneDNN's bf16 products give a row the same bits among any others, so
that in bf16 a batch changes no answer (Zen 5 and PyTorch 2.13; by He et al., "Defeating
Nondeterminism in LLM Inference", 2025). PyTorch's fused kernel does not, and took 1.3 to 2.4 times
as long in bf16 for 20 to 600 new tokens; in fp32 it is about as fast.
"""

from collections.abc import Sequence
from functools import cache
from itertools import accumulate, chain, pairwise

import torch

from ragtune.models.direct.cache import BLOCK, Cache, blocks

FEW = 8
"""Rows of up to so many new tokens attend together, padded; longer ones each by itself."""
CHUNK = 128
"""Queries of a row that attend at once: their scores stay in a processor's cache."""
SUMMED = 1024
"""Terms that oneDNN sums in one order whatever comes behind them; of more it makes other parts."""


class Step:
    """New tokens of rows: where they are, and what they attend to.

    ``ids`` and ``places`` are (tokens); ``ends`` the rows' lengths afterwards; ``group`` says how
    many query heads share keys and values.
    """

    def __init__(self, rows: Sequence[Sequence[int]], cache: Cache | None, group: int) -> None:
        self.cache, self.group, self.widths = cache, group, [len(row) for row in rows]
        self.starts = [0] * len(rows) if cache is None else cache.lengths
        self.ends = [start + width for start, width in zip(self.starts, self.widths, strict=True)]
        self.ids = torch.tensor(list(chain.from_iterable(rows)))
        spans = [range(a, b) for a, b in zip(self.starts, self.ends, strict=True)]
        self.places = torch.tensor(list(chain.from_iterable(spans)))
        self.rows = torch.tensor([n for n, width in enumerate(self.widths) for _ in range(width)])
        self.bounds = list(pairwise(accumulate(self.widths, initial=0)))
        self.padding: _Padding | None = None
        if cache is not None and max(self.widths) <= FEW:
            self.padding = _Padding(self.widths, self.ends, group, cache.dtype)

    def attend(
        self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, layer: int
    ) -> torch.Tensor:
        """What each token attends to, (tokens, heads, size); its keys and values are kept."""
        queries = queries * queries.shape[-1] ** -0.5
        if self.cache is None:
            return self._uncached(queries, keys, values)
        all_keys, all_values = self.cache.keys[layer], self.cache.values[layer]
        all_keys[self.rows, :, self.places] = keys
        all_values[self.rows, :, self.places] = values
        if self.padding is not None:
            return self.padding.attend(queries, all_keys, all_values)
        found = torch.empty_like(queries)
        for row, (start, (a, b)) in enumerate(zip(self.starts, self.bounds, strict=True)):
            self._causal(queries[a:b], all_keys[row], all_values[row], start, found[a:b])
        return found

    def _uncached(
        self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        """Rows of which nothing was read before; a block may hold what lies behind its row."""
        behind = keys.new_zeros((BLOCK, *keys.shape[1:]))
        all_keys, all_values = (
            torch.cat([held, behind]).transpose(0, 1) for held in (keys, values)
        )
        found = torch.empty_like(queries)
        for a, b in self.bounds:
            self._causal(queries[a:b], all_keys[:, a:], all_values[:, a:], 0, found[a:b])
        return found

    def _causal(
        self,
        queries: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        start: int,
        found: torch.Tensor,
    ) -> None:
        """One row's new tokens, each with what lies before it, into ``found``.

        ``queries`` and ``found`` are (tokens, heads, size), the first token at place ``start``;
        ``keys`` and ``values`` (shared, places, size).
        """
        shared, size = keys.shape[0], keys.shape[2]
        unseen = _unseen(queries.dtype)
        for first in range(0, len(queries), CHUNK):
            part = queries[first : first + CHUNK]
            place, new = start + first, len(part)
            reach = blocks(place + new)
            folded = part.view(new, shared, self.group, size).permute(1, 2, 0, 3)
            scores = torch.bmm(folded.reshape(shared, -1, size), keys[:, :reach].transpose(1, 2))
            scores.view(shared, -1, new, reach)[..., place:].add_(unseen[:new, : reach - place])
            taken = _mixed(scores.softmax(-1), values[:, :reach])
            taken = taken.view(shared, self.group, new, size).permute(2, 0, 1, 3)
            found[first : first + new].view(new, shared, self.group, size).copy_(taken)


class _Padding:
    """A few new tokens of many rows, padded on the left to attend at once."""

    def __init__(
        self, widths: Sequence[int], ends: Sequence[int], group: int, dtype: torch.dtype
    ) -> None:
        self.rows, self.width, self.group = len(widths), max(widths), group
        leads = [(n, self.width - width) for n, width in enumerate(widths)]
        self.slots: list[int] | None = None
        if min(widths) < self.width:
            self.slots = [
                n * self.width + slot for n, lead in leads for slot in range(lead, self.width)
            ]
        self.reach = blocks(max(ends))
        last_seen = torch.tensor(ends)[:, None] - self.width + torch.arange(self.width)
        last_seen = last_seen.clamp(min=0)
        self.seen = int(last_seen.min()) + 1
        unseen = torch.arange(self.seen, self.reach) > last_seen[:, :, None]
        mask = torch.zeros(unseen.shape, dtype=dtype).masked_fill_(unseen, -torch.inf)
        self.mask = mask[:, None, None]

    def attend(
        self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        """All rows at once; query heads that share keys are read as if they were tokens.

        ``queries`` are (tokens, heads, size), ``keys`` and ``values`` (rows, shared, places, size).
        """
        heads, size, shared = *queries.shape[1:], keys.shape[1]
        padded = queries
        if self.slots is not None:
            padded = queries.new_zeros((self.rows * self.width, heads, size))
            padded[self.slots] = queries
        folded = padded.view(self.rows, self.width, shared, self.group, size)
        folded = folded.permute(0, 2, 3, 1, 4).reshape(self.rows * shared, -1, size)
        keys, values = (held[:, :, : self.reach].flatten(0, 1) for held in (keys, values))
        scores = torch.bmm(folded, keys.transpose(1, 2))
        each = scores.view(self.rows, shared, self.group, self.width, self.reach)
        each[..., self.seen :].add_(self.mask)
        found = _mixed(scores.softmax(-1), values)
        found = found.view(self.rows, shared, self.group, self.width, size)
        found = found.permute(0, 3, 1, 2, 4).reshape(-1, heads, size)
        return found if self.slots is None else found[self.slots]


def _mixed(shares: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """``shares``, (rows, queries, places), of ``values``, (rows, places, size)."""
    found = torch.bmm(shares[..., :SUMMED], values[:, :SUMMED])
    for start in range(SUMMED, values.shape[1], SUMMED):
        places = slice(start, start + SUMMED)
        found.baddbmm_(shares[..., places], values[:, places])
    return found


@cache
def _unseen(dtype: torch.dtype) -> torch.Tensor:
    """What is added to a chunk's scores from its first place on: (CHUNK, CHUNK + BLOCK)."""
    return torch.full((CHUNK, CHUNK + BLOCK), -torch.inf, dtype=dtype).triu(1)
