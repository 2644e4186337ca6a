"""Means with intervals: bootstrap over questions, which are the unit that was sampled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 4000


@dataclass(frozen=True)
class Estimate:
    """A mean and its 95 % percentile-bootstrap interval."""

    mean: float
    ci95: tuple[float, float]

    def to_json(self) -> dict[str, object]:
        """``mean`` and ``ci95``, rounded to six places."""
        return {"mean": round(self.mean, 6), "ci95": [round(x, 6) for x in self.ci95]}


def estimate(values: Sequence[float], seed: int) -> Estimate:
    """The mean of ``values``, one a question, and its interval.

    Raises ValueError when there are none. The percentile method is Efron's (1979).
    """
    if not values:
        raise ValueError("no values to estimate a mean from")
    data = np.asarray(values, dtype=float)
    generator = np.random.default_rng(seed)
    draws = generator.integers(0, len(data), (DRAWS, len(data)))
    low, high = np.percentile(data[draws].mean(axis=1), [2.5, 97.5])
    return Estimate(float(data.mean()), (float(low), float(high)))


def difference(left: Sequence[float], right: Sequence[float], seed: int) -> Estimate:
    """The mean of ``left - right`` question by question, paired, and its interval."""
    return estimate([a - b for a, b in zip(left, right, strict=True)], seed)
