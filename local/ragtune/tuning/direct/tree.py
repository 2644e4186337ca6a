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

    ``places`` are the tokens that predict a supervised one, ``targets`` what these are; a token
    that rows share can be there several times.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    places: torch.Tensor
    targets: torch.Tensor
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class _Path:
    """Where a row's tokens lie in the tree; the last ``own`` of them are no other row's."""

    places: list[int]
    own: int

    @property
    def start(self) -> int:
        return self.places[-1] + 1 - self.own


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
    ids: list[int] = []
    positions: list[int] = []
    places: list[int] = []
    targets: list[int] = []
    paths: list[_Path] = []
    before: list[int] = []
    for row in rows:
        common = _common(before, row.ids) if shared else 0
        reached = paths[-1].places[:common] if common else []
        own = len(row.ids) - common
        path = [*reached, *range(len(ids), len(ids) + own)]
        ids += row.ids[common:]
        positions += range(common, len(row.ids))
        taught = [n for n in range(1, len(row.ids)) if row.labels[n] != IGNORED]
        places += [path[n - 1] for n in taught]
        targets += [row.labels[n] for n in taught]
        paths.append(_Path(path, own))
        before = row.ids
    return Tree(
        torch.tensor(ids),
        torch.tensor(positions),
        torch.tensor(places, dtype=torch.long),
        torch.tensor(targets, dtype=torch.long),
        tuple(_pieces([path for path in paths if path.own], dtype)),
    )


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    for n, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs:
            return n
    return min(len(one), len(other))


def _pieces(paths: Sequence[_Path], dtype: torch.dtype) -> list[Piece]:
    """Short rows together, a long one by itself and in chunks."""
    longest = max(len(path.places) for path in paths)
    causal = torch.full((longest, longest), -torch.inf, dtype=dtype).triu_(1)
    found: list[Piece] = []
    held: list[_Path] = []
    for path in paths:
        if held and sum(p.own for p in held) + path.own > TOGETHER:
            found += _chunks(held, causal)
            held = []
        held.append(path)
    return found + _chunks(held, causal)


def _chunks(paths: Sequence[_Path], causal: torch.Tensor) -> list[Piece]:
    if len(paths) > 1 or paths[0].own <= CHUNK:
        return [_piece(paths, causal)]
    whole = paths[0]
    before = len(whole.places) - whole.own
    ends = [*range(CHUNK, whole.own, CHUNK), whole.own]
    return [
        _piece([_Path(whole.places[: before + end], end - start)], causal)
        for start, end in pairwise([0, *ends])
    ]


def _piece(paths: Sequence[_Path], causal: torch.Tensor) -> Piece:
    start, end = paths[0].start, paths[-1].places[-1] + 1
    seen = sorted({place for path in paths for place in path.places})
    run = seen[-1] - seen[0] + 1 == len(seen)
    index = {place: n for n, place in enumerate(seen)}
    mask = causal.new_full((end - start, len(seen)), -torch.inf)
    for path in paths:
        columns = torch.tensor([index[place] for place in path.places])
        length, first = len(path.places), path.start - start
        rows = causal[length - path.own : length, :length]
        mask[first : first + path.own].index_copy_(1, columns, rows)
    keys = slice(seen[0], seen[-1] + 1) if run else torch.tensor(seen)
    return Piece(slice(start, end), keys, mask)
