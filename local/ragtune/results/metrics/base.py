"""What a metric is: a file in this package, or of another one, that scores cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ragtune.results.parts import Mean
from ragtune.sources.records import Record


@dataclass(frozen=True)
class Case:
    """A question with its answer; any of the ``references`` is right.

    ``passages`` are the texts that were in the prompt, best first; empty in an arm without.
    """

    question: Record
    answer: str
    references: tuple[str, ...]
    passages: tuple[str, ...] = ()


class Named(Protocol):
    """What all metrics have.

    ``name`` is its key in ``results.json``, ``title`` what table and page call it, ``needs`` what
    it cannot do without: of "embedder" and "engine", or nothing.
    """

    @property
    def name(self) -> str:
        """The key in ``results.json``."""
        ...

    @property
    def title(self) -> str:
        """One to three words."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """Of "embedder" and "engine"."""
        ...


class Metric(Named, Protocol):
    """Scores case by case, so that arms are compared by question."""

    def scores(self, cases: Sequence[Case]) -> list[float]:
        """A number from 0, wrong, to 1, right, for each case, in order."""
        ...


class SetMetric(Named, Protocol):
    """Has a figure of all cases together, and none of a single one."""

    def estimate(self, cases: Sequence[Case], seed: int) -> Mean | None:
        """The figure and its interval; None where it does not apply to these references."""
        ...
