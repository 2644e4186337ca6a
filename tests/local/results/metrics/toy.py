"""A metric in one file: how near an answer's length is to the reference's."""

from collections.abc import Sequence

from ragtune.results.metrics.base import Case


class Length:
    """1 where an answer has as many characters as its reference, 0 from twice as many on."""

    name = "length"
    title = "length match"
    needs: frozenset[str] = frozenset()

    def scores(self, cases: Sequence[Case]) -> list[float]:
        """A number from 0 to 1 for each case."""
        return [max(map(self._one, [c.answer] * len(c.references), c.references)) for c in cases]

    def _one(self, answer: str, reference: str) -> float:
        return max(0.0, 1 - abs(len(answer) - len(reference)) / len(reference))
