"""What a metric is: a file in this package, or of another one, that scores cases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol, runtime_checkable

from ragtune.results.parts import Mean
from ragtune.sources.records import Record


@dataclass(frozen=True)
class Case:
    """A question with its answer; any of the ``references`` is right.

    ``passages`` are the texts that were in the prompt, best first; empty in an arm without.
    ``refusals`` are the study's own phrases that say there is no answer; ``labels`` all labels,
    where the references are labels.
    """

    question: Record
    answer: str
    references: tuple[str, ...]
    passages: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]
"""Texts to vectors of unit length; what is behind it is loaded when it is first called."""


@dataclass(frozen=True)
class Tools:
    """What metrics may be offered; None is not offered."""

    embedder: Embed | None = None
    engine: Any = None

    @property
    def offered(self) -> frozenset[str]:
        """The names of what is there."""
        return frozenset(f.name for f in fields(self) if getattr(self, f.name) is not None)


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


@runtime_checkable
class Equipped(Protocol):
    """A metric with needs, before it has been given what it needs."""

    def using(self, tools: Tools) -> Metric:
        """The metric that scores with these tools; only called where its needs are offered."""
        ...


class SetMetric(Named, Protocol):
    """Has a figure of all cases together, and none of a single one."""

    def estimate(self, cases: Sequence[Case], seed: int) -> Mean | None:
        """The figure and its interval; None where it does not apply to these references."""
        ...
