"""How far an arm's numbers are from the references', over the answers where there are numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from ragtune.results.metrics.answers import numeric_error
from ragtune.results.metrics.base import Case
from ragtune.results.parts import Mean
from ragtune.results.statistics import estimate


@dataclass(frozen=True)
class NumericError:
    """The mean of `numeric_error`, over the cases whose reference has a number; lower is better.

    It decides nothing and is not compared in pairs: the cases without a number have none.
    """

    name: str = "numeric_error"
    title: str = "numeric error"
    needs: frozenset[str] = frozenset()

    def estimate(self, cases: Sequence[Case], seed: int) -> Mean | None:
        """The mean and its interval; None where no reference has a number."""
        errors = [numeric_error(c.answer, c.references, refusals=c.refusals) for c in cases]
        found = [error for error in errors if error is not None]
        return estimate(found, seed) if found else None


NUMERIC_ERROR = NumericError()
