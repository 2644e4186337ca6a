"""Very many texts → the numbers of their words.

Arrow cuts the texts at spaces and finds equal pieces; each piece is taken into words once, however
often it is there: no word reaches over a space, nor does what a character is changed into.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ragtune.sources.plain import words

BLOCK = 4_000_000
"""Characters that are cut at once."""


class Numbering:
    """Numbers words in the order in which they are met; ``numbers`` has that of each."""

    def __init__(self) -> None:
        self.numbers: defaultdict[str, int] = defaultdict()
        self.numbers.default_factory = self.numbers.__len__
        self._pieces: dict[str, list[int]] = {}

    def of(self, texts: Iterable[str]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """How many words each text has, and the numbers of all of them in order."""
        found = [self._block(block) for block in _blocks(texts)]
        lengths = [np.empty(0, np.int64), *(one for one, _ in found)]
        return np.concatenate(lengths), np.concatenate(
            [np.empty(0, np.int32), *(n for _, n in found)]
        )

    def _block(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        import pyarrow as pa  # slow to import, and of no use to who only opens a run
        import pyarrow.compute as pc

        cut = pc.ascii_split_whitespace(pa.array(texts, pa.large_string()))
        ends = cut.offsets.to_numpy().astype(np.int64)
        pieces = cut.flatten().dictionary_encode()
        at = pieces.indices.to_numpy()
        of_pieces = [self._piece(piece) for piece in pieces.dictionary.to_pylist()]
        sizes = np.fromiter(map(len, of_pieces), np.int64, len(of_pieces))
        numbers = np.fromiter((n for one in of_pieces for n in one), np.int32, int(sizes.sum()))
        counts = sizes[at]
        total = np.concatenate(([0], np.cumsum(counts)))
        starts = (np.cumsum(sizes) - sizes)[at]
        places = np.repeat(starts - total[:-1], counts) + np.arange(total[-1])
        return np.diff(total[ends - ends[0]]), numbers[places]

    def _piece(self, piece: str) -> list[int]:
        found = self._pieces.get(piece)
        if found is None:
            found = self._pieces[piece] = [self.numbers[word] for word in words(piece)]
        return found


def _blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    block: list[str] = []
    size = 0
    for text in texts:
        block.append(text)
        size += len(text)
        if size >= BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block
