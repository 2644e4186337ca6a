"""An inverted index of many small sets of words, for sets that are nearly equal to another."""

import math
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ragtune.sources.numbering import Numbering

Places = NDArray[np.int64]


class Postings:
    """For each word the places of the texts with it, and for each text its words, as arrays.

    A text counts as the set of its words.

    What a search costs grows with the candidates for one set, not with all the sets.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        from scipy.sparse import csr_matrix  # slow to import, and of no use to who only opens a run

        numbering = Numbering()
        counts, found = numbering.of(texts)
        self._numbers = dict(numbering.numbers)
        shape = len(counts), len(self._numbers)
        starts = np.concatenate(([0], np.cumsum(counts)))
        once = np.ones(len(found), np.int8)
        by_word = _without_repeats(csr_matrix((once, found, starts), shape).tocsc())
        self._places, self._ends = by_word.indices, by_word.indptr
        by_set = by_word.tocsr()
        self._words: NDArray[np.int32] = by_set.indices
        self._starts: Places = by_set.indptr.astype(np.int64)
        self.lengths: Places = np.diff(self._starts)
        self._wanted = np.zeros(shape[1], dtype=bool)
        self._found = np.zeros(shape[0], dtype=bool)
        """Scratch space of `jaccard` and of `candidates`, empty between calls."""

    def count(self, word: str) -> int:
        """How many of the sets have a word."""
        number = self._numbers.get(word)
        return 0 if number is None else int(self._ends[number + 1] - self._ends[number])

    def frequent(self, most: float) -> list[str]:
        """The words that more of the texts have than so many."""
        counts = np.diff(self._ends)
        return [word for word, number in self._numbers.items() if counts[number] > most]

    def places(self, word: str) -> Places:
        """The places of the sets with a word, in order."""
        number = self._numbers.get(word)
        if number is None:
            return np.empty(0, dtype=np.int64)
        found = self._places[self._ends[number] : self._ends[number + 1]]
        return np.asarray(found, dtype=np.int64)

    def rarest(self, found: Collection[str], least: float) -> list[str]:
        """The words of which a set must have one to have a Jaccard index of ``least`` with these.

        A set that shares at least that much of n words lacks at most so many, so it has one of any
        n - ceil(least n) + 1 (Chaudhuri et al. 2006): the rarest leave the fewest candidates.
        """
        count = len(found) - math.ceil(least * len(found) - 1e-9) + 1
        return sorted(found, key=self.count)[:count]

    def candidates(self, words: Iterable[str], size: int, least: float) -> Places:
        """The places of the sets with one of the words, whose number of words is near to ``size``.

        Of two sets with a Jaccard index of ``least`` the smaller has that share of the greater.
        """
        there = [np.empty(0, np.int64), *map(self.places, words)]
        if sum(map(len, there)) * 16 < len(self.lengths):
            found: Places = np.unique(np.concatenate(there))
        else:
            for places in there:
                self._found[places] = True
            found = np.flatnonzero(self._found)
            self._found[found] = False
        lengths = self.lengths[found]
        return found[(lengths >= least * size - 1e-9) & (least * lengths <= size + 1e-9)]

    def jaccard(self, found: Collection[str], places: Places) -> NDArray[np.float64]:
        """The index of a set of words with those at some places; 1 where both are empty."""
        lengths = self.lengths[places]
        ends = np.cumsum(lengths)
        numbers = [self._numbers[word] for word in found if word in self._numbers]
        self._wanted[numbers] = True
        at = np.repeat(self._starts[places] - ends + lengths, lengths)
        hits = self._wanted[self._words[at + np.arange(len(at))]]
        self._wanted[numbers] = False
        total = np.concatenate(([0], np.cumsum(hits)))
        shared = total[ends] - total[ends - lengths]
        either = len(found) + lengths - shared
        return np.where(either == 0, 1.0, shared / np.maximum(either, 1))


def _without_repeats(by_word: Any) -> Any:
    """The matrix with each place once in a column; repeats follow one another there."""
    places, ends = by_word.indices, by_word.indptr
    kept = np.ones(len(places), dtype=bool)
    kept[1:] = places[1:] != places[:-1]
    kept[ends[:-1][ends[:-1] < len(places)]] = True
    total = np.concatenate(([0], np.cumsum(kept)))
    return type(by_word)((by_word.data[kept], places[kept], total[ends]), by_word.shape)
