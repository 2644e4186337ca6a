"""A transformers model as what reads a batch, each text as if it were alone.

The cache only grows. What is not part of a row (padding, a draft that was wrong) stays in it and
is masked, so rows of different lengths share one. A layer with a sliding window is masked by the
tokens of the row that lie between, not by slots of the cache.
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache

from ragtune.models.engines.cache import roomy
from ragtune.models.engines.groups import Ids


class MaskedReader:
    """A ``Reader`` whose rows are padded on the left.

    ``mask`` is (rows, slots of the cache): 1 where a slot holds a token of the row's text.
    """

    def __init__(self, model: Any, rows: int) -> None:
        self.model = model
        self.windows = sliding_windows(model.config)
        # Without the configuration every layer keeps all keys: which to see is for the mask.
        self.cache = roomy(None if self.windows else model.config)
        self.mask = torch.zeros((rows, 0), dtype=torch.long, device=model.device)

    def read(self, rows: Sequence[Ids], last: int) -> list[list[int]]:
        """Read ``rows``; the likeliest token after each of the last ``last`` of a row."""
        width, device = max(map(len, rows)), self.model.device
        ids = torch.tensor([[0] * (width - len(r)) + [*r] for r in rows], device=device)
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
        return [found[-len(row) :] for found, row in zip(likeliest, rows, strict=True)]

    def keep(self, rows: Sequence[int]) -> None:
        """Make the rows those named, which may be named more than once."""
        chosen = torch.tensor(rows, device=self.mask.device)
        self.mask = self.mask[chosen]
        self.cache.batch_select_indices(chosen)

    def forget(self, row: int, tokens: int) -> None:
        """Hide the last ``tokens`` of a row."""
        self.mask[row, -tokens:] = 0

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


def sliding_windows(config: Any) -> dict[str, int | None]:
    """The kinds of attention layers, each with its window in tokens; empty where none has one."""
    layers = DynamicCache(config=config).layers
    kinds = getattr(config, "layer_types", None) or ["attention"] * len(layers)
    found = {
        kind: getattr(layer, "sliding_window", None)
        for kind, layer in zip(kinds, layers, strict=True)
    }
    return found if any(found.values()) else {}
