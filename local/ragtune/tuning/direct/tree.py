"""Rows of a step as a tree: what several of them begin with is there once."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import torch

from ragtune.prompts.base import IGNORED
from ragtune.tuning.samples import Sample

TOGETHER = 128
"""Rows of up to so many tokens in all attend as one, masked: fewer and larger products."""
CHUNK = 256
"""Queries that attend at once at most: of a long row few keys are then computed and masked."""
FINE, COARSE = 4, 8
"""Pieces are filled up to a multiple of the one, from ``TOGETHER`` / 2 tokens on of the other.

oneDNN makes a kernel for each size of a product, which takes 0.7 to 1 ms (PyTorch 2.13), more than
most of a step's products do, and keeps 1,024 of them.
"""


@dataclass(frozen=True)
class Row:
    """A part of a sample that sees no other part; ``labels`` say what each token was to be."""

    ids: list[int]
    labels: list[int]


@dataclass(frozen=True)
class Piece:
    """Queries that attend together, by their places in the tree, and the keys they look at.

    ``keys`` are places too; ``mask``, (queries, keys), is 0 where a query sees a key and -inf
    where it does not.
    """

    queries: slice
    keys: slice | torch.Tensor
    mask: torch.Tensor


@dataclass(frozen=True)
class Tree:
    """The tokens of rows, (tokens): ``ids``, their ``positions`` in their rows, and ``pieces``.

    What a row has after its last predicting token is left out. ``predicting`` are the tokens that
    predict a supervised one, each once, then some of them again to fill up; ``places`` say which
    of these predicts each of the ``targets``. A piece may end in tokens that nobody sees.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    predicting: torch.Tensor
    places: torch.Tensor
    targets: torch.Tensor
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class _Path:
    """Where a row's tokens lie in the tree; the last ``own`` of them are no other row's."""

    places: list[int]
    own: int


def rows_of(samples: Sequence[Sample]) -> list[Row]:
    """The parts of samples, in their order."""
    return [
        Row(sample.ids[a:b], sample.labels[a:b])
        for sample in samples
        for a, b in pairwise(accumulate(sample.lengths, initial=0))
    ]


def tree(rows: Sequence[Row], dtype: torch.dtype, *, shared: bool) -> Tree:
    """Lay rows out; ``shared``: what a row begins with as another one does is computed once.

    That holds where nothing but the tokens decides what is computed, so not with dropout.
    """
    if shared:
        rows = sorted(rows, key=lambda row: row.ids)  # the one most alike is the one before
    longest = max(len(row.ids) for row in rows)
    causal = torch.full((longest, longest), -torch.inf, dtype=dtype).triu_(1)
    grown = _Grown(causal)
    places: list[int] = []
    targets: list[int] = []
    before: list[int] = []
    path: list[int] = []
    for row in rows:
        taught = [n for n in range(1, len(row.ids)) if row.labels[n] != IGNORED]
        ids = row.ids[: taught[-1] if taught else 1]
        common = _common(before, ids) if shared else 0
        path = path[:common] + grown.add(path[:common], ids[common:])
        places += [path[n - 1] for n in taught]
        targets += [row.labels[n] for n in taught]
        before = ids
    grown.close()
    predicting = sorted({*places})
    index = {place: n for n, place in enumerate(predicting)}
    predicting += predicting[:1] * (-len(predicting) % FINE)
    return Tree(
        torch.tensor(grown.ids),
        torch.tensor(grown.positions),
        torch.tensor(predicting, dtype=torch.long),
        torch.tensor([index[place] for place in places], dtype=torch.long),
        torch.tensor(targets, dtype=torch.long),
        tuple(grown.pieces),
    )


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    for n, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs:
            return n
    return min(len(one), len(other))


class _Grown:
    """A tree in the making: short rows attend together, a long one by itself and in chunks."""

    def __init__(self, causal: torch.Tensor) -> None:
        self.causal = causal
        self.ids: list[int] = []
        self.positions: list[int] = []
        self.pieces: list[Piece] = []
        self._open: list[_Path] = []
        self._start = 0

    def add(self, above: Sequence[int], ids: Sequence[int]) -> list[int]:
        """Lay tokens out that follow those at the places ``above``; return their own places."""
        if self._open and len(self.ids) - self._start + len(ids) > TOGETHER:
            self.close()
        own = list(range(len(self.ids), len(self.ids) + len(ids)))
        self.ids += ids
        self.positions += range(len(above), len(above) + len(ids))
        if own:
            self._open.append(_Path([*above, *own], len(own)))
        return own

    def close(self) -> None:
        """Fill up the tokens that are in no piece yet, and make pieces of them."""
        if not self._open:
            return
        end = len(self.ids)
        multiple = FINE if end - self._start < TOGETHER // 2 else COARSE
        filling = -(end - self._start) % multiple
        self.ids += [self.ids[self._start]] * filling
        self.positions += [0] * filling
        paths = self._open
        for start in range(self._start, len(self.ids), CHUNK):
            stop = min(start + CHUNK, len(self.ids))
            if len(self.ids) - self._start > CHUNK:  # a single row
                whole = self._open[0]
                last = min(stop, end)
                seen = [place for place in whole.places if place < last]
                paths = [_Path(seen, last - start)] if last > start else []
            self.pieces.append(self._piece(start, stop, paths, multiple))
        self._open, self._start = [], len(self.ids)

    def _piece(self, start: int, stop: int, paths: Sequence[_Path], multiple: int) -> Piece:
        seen = sorted({place for path in paths for place in path.places} | {*range(start, stop)})
        run = seen[-1] - seen[0] + 1 == len(seen)
        index = {place: n for n, place in enumerate(seen)}
        if not run:
            seen += [seen[0]] * (-len(seen) % multiple)  # once more, and seen by nobody
        mask = self.causal.new_full((stop - start, len(seen)), -torch.inf)
        filled = set(range(start, stop))
        for path in paths:
            columns = torch.tensor([index[place] for place in path.places])
            length, first = len(path.places), path.places[-path.own] - start
            rows = self.causal[length - path.own : length, :length]
            mask[first : first + path.own].index_copy_(1, columns, rows)
            filled -= {*path.places}
        for place in filled:  # what fills up sees itself: nothing at all would be no number
            mask[place - start, index[place]] = 0
        return Piece(
            slice(start, stop),
            slice(seen[0], seen[-1] + 1) if run else torch.tensor(seen),
            mask,
        )
