"""Keys and values of a batch whose rows are of different lengths."""

from collections.abc import Sequence

import torch

BLOCK = 64
"""Places that are attended to at once, whether they are written or not."""


def blocks(length: int) -> int:
    """The places of as many blocks as hold ``length`` tokens."""
    return -(-length // BLOCK) * BLOCK


class Cache:
    """For each layer keys and values, (rows, heads, room, size): a row's tokens by position.

    ``lengths`` says how many of a row's places are written; what lies behind them is overwritten.
    """

    def __init__(self, rows: int, layers: int, heads: int, size: int, dtype: torch.dtype) -> None:
        self.lengths, self.dtype = [0] * rows, dtype
        self.keys = [torch.zeros((rows, heads, 0, size), dtype=dtype) for _ in range(layers)]
        self.values = list(self.keys)

    def make_room(self, length: int) -> None:
        """Have places for rows of up to ``length`` tokens: whole blocks, and one to go on."""
        if length > self.keys[0].shape[2]:
            for held in (self.keys, self.values):
                for layer, old in enumerate(held):
                    rows, heads, there, size = old.shape
                    held[layer] = old.new_zeros((rows, heads, blocks(length) + BLOCK, size))
                    held[layer][:, :, :there] = old

    def keep(self, rows: Sequence[int]) -> None:
        """Make the rows those named, which may be named more than once."""
        chosen = torch.tensor(rows)
        self.lengths = [self.lengths[row] for row in rows]
        self.keys = [keys[chosen] for keys in self.keys]
        self.values = [values[chosen] for values in self.values]

    def forget(self, row: int, tokens: int) -> None:
        """Take the last ``tokens`` of a row back."""
        self.lengths[row] -= tokens
