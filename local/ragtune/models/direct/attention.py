"""Attention of rows of different lengths, side by side."""

from collections.abc import Sequence
from itertools import accumulate, chain, pairwise

import torch
from torch.nn import functional

from ragtune.models.direct.cache import Cache

FEW = 8
"""Rows of up to so many new tokens attend together, padded; longer ones each by itself."""


class Step:
    """New tokens of rows: where they are, and what they attend to.

    ``ids`` and ``places`` are (tokens); ``ends`` the rows' lengths afterwards; ``group`` says how
    many query heads share keys and values.
    """

    def __init__(self, rows: Sequence[Sequence[int]], cache: Cache | None, group: int) -> None:
        self.cache, self.group, self.widths = cache, group, [len(row) for row in rows]
        starts = [0] * len(rows) if cache is None else cache.lengths
        self.ends = [start + width for start, width in zip(starts, self.widths, strict=True)]
        self.ids = torch.tensor(list(chain.from_iterable(rows)))
        spans = [range(a, b) for a, b in zip(starts, self.ends, strict=True)]
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
        if self.cache is None:
            held = [(keys[a:b], values[a:b]) for a, b in self.bounds]
        else:
            all_keys, all_values = self.cache.keys[layer], self.cache.values[layer]
            all_keys[self.rows, :, self.places] = keys
            all_values[self.rows, :, self.places] = values
            if self.padding is not None:
                reach = max(self.ends)
                return self.padding.attend(
                    queries, all_keys[:, :, :reach], all_values[:, :, :reach]
                )
            held = [
                (all_keys[n, :, :end].transpose(0, 1), all_values[n, :, :end].transpose(0, 1))
                for n, end in enumerate(self.ends)
            ]
        parts = [
            _causal(queries[a:b], *kept) for (a, b), kept in zip(self.bounds, held, strict=True)
        ]
        return torch.cat(parts)


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
        first = torch.tensor(ends)[:, None] - self.width
        last_seen = (first + torch.arange(self.width)).clamp(min=0)
        unseen = torch.arange(max(ends)) > last_seen[:, :, None]
        self.mask: torch.Tensor | None = None
        if unseen.any():
            mask = torch.zeros(unseen.shape, dtype=dtype).masked_fill_(unseen, -torch.inf)
            self.mask = mask[:, None].repeat(1, 1, group, 1)

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
        found = functional.scaled_dot_product_attention(
            folded.permute(0, 2, 3, 1, 4).reshape(self.rows, shared, -1, size),
            keys,
            values,
            attn_mask=self.mask,
        )
        found = found.view(self.rows, shared, self.group, self.width, size)
        found = found.permute(0, 3, 1, 2, 4).reshape(-1, heads, size)
        return found if self.slots is None else found[self.slots]


def _causal(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """One row's new tokens, (tokens, heads, size), each with what lies before it."""
    new, heads, _ = queries.shape
    reach, shared, _ = keys.shape
    rest: torch.Tensor | None = None
    if new < reach:
        rest = torch.ones((new, reach), dtype=torch.bool).tril(reach - new)
    wide_keys, wide_values = (
        shared_by.repeat_interleave(heads // shared, 1).transpose(0, 1)[None]
        for shared_by in (keys, values)
    )
    found = functional.scaled_dot_product_attention(
        queries.transpose(0, 1)[None],
        wide_keys,
        wide_values,
        attn_mask=rest,
        is_causal=rest is None,
    )
    return found[0].transpose(0, 1)
