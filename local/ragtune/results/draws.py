"""The random draws that intervals and tests are made of, the same for all figures of a size.

They are drawn once, kept in a byte each, and taken as numbers a few rows at a time, so that these
are multiplied while they are in the processor's cache.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

DRAWS = 4000
BLOCK = 4_000_000
"""Cells that are drawn at once."""
CACHED = 1 << 16
"""Cells that are taken as numbers at once: half a megabyte."""
KEPT = 100_000_000
"""Bytes of draws kept from one figure to the next: those of 5,000 questions and their parts."""

Array = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.int8] | npt.NDArray[np.uint8]
Drawing = Callable[[int, int], Iterator[Bytes]]
_KEPT: OrderedDict[tuple[Drawing, int, int], tuple[Bytes, ...]] = OrderedDict()


def resamples(count: int, seed: int) -> Iterator[Array]:
    """How often each of ``count`` values is in each resample, as blocks of (resamples, values)."""
    return _numbers(_resampled, count, seed)


def signs(count: int, seed: int) -> Iterator[Array]:
    """Random sets of signs, 1 or -1 for each of ``count`` values, as blocks of (sets, values)."""
    return _numbers(_flipped, count, seed)


def _numbers(draw: Drawing, count: int, seed: int) -> Iterator[Array]:
    rows = max(1, CACHED // count)
    for block in _kept(draw, count, seed) if 2 * DRAWS * count <= KEPT else draw(count, seed):
        for start in range(0, len(block), rows):
            yield block[start : start + rows].astype(float)


def _kept(draw: Drawing, count: int, seed: int) -> tuple[Bytes, ...]:
    """The draws, from before where they were kept; those that were asked for longest ago go."""
    key = draw, count, seed
    if key not in _KEPT:
        while _KEPT and DRAWS * (count + sum(held for _, held, _ in _KEPT)) > KEPT:
            _KEPT.popitem(last=False)
        _KEPT[key] = tuple(draw(count, seed))
    _KEPT.move_to_end(key)
    return _KEPT[key]


def _resampled(count: int, seed: int) -> Iterator[npt.NDArray[np.uint8]]:
    """255 times in one is never seen, for the mean is 1."""
    generator = np.random.default_rng(seed)
    for size in _blocks(count):
        drawn = generator.integers(0, count, (size, count)) + count * np.arange(size)[:, None]
        block = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)
        yield block.astype(np.uint8)


def _flipped(count: int, seed: int) -> Iterator[npt.NDArray[np.int8]]:
    generator = np.random.default_rng(seed)
    for size in _blocks(count):
        yield (generator.integers(0, 2, (size, count)) * 2 - 1).astype(np.int8)


def _blocks(count: int) -> Iterator[int]:
    """Sizes that add up to ``DRAWS``, each small enough to be held with ``count`` columns."""
    size = max(1, min(DRAWS, BLOCK // count))
    for start in range(0, DRAWS, size):
        yield min(size, DRAWS - start)
