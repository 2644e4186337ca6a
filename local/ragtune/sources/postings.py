"""An inverted index of many small sets of words, for sets that are nearly equal to another."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]


class Postings:
    """For each word the places of the sets with it, and for each set its words, as arrays.

    What a search costs grows with the candidates for one set, not with all the sets.
    """

    def __init__(self, sets: Iterable[Collection[str]]) -> None:
        from scipy.sparse import csr_matrix  # slow to import, and of no use to who only opens a run

        there = list(sets)
        self.lengths = np.fromiter(map(len, there), np.int64, len(there))
        self._starts = np.concatenate(([0], np.cumsum(self.lengths)))
        numbers: defaultdict[str, int] = defaultdict()
        numbers.default_factory = numbers.__len__
        self._words = np.fromiter(
            map(numbers.__getitem__, chain.from_iterable(there)), np.int32, int(self._starts[-1])
        )
        self._numbers = dict(numbers)
        by_set = csr_matrix(
            (np.ones(len(self._words), np.int8), self._words, self._starts),
            (len(there), len(numbers)),
        )
        by_word = by_set.tocsc()
        self._places, self._ends = by_word.indices, by_word.indptr
        self._wanted = np.zeros(len(numbers), dtype=bool)
        self._found = np.zeros(len(there), dtype=bool)
        """Scratch space of `jaccard` and of `candidates`, empty between calls."""

    def count(self, word: str) -> int:
        """How many of the sets have a word."""
        number = self._numbers.get(word)
        return 0 if number is None else int(self._ends[number + 1] - self._ends[number])

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
