"""What chance in tuning adds: seeds and questions are both samples, crossed with one another.

Each seed of an arm answers every question. The variance of the mean over both is at most
var(means of seeds) / seeds + var(means of questions) / questions: the sum counts chance in single
answers twice, and so errs on the wide side (for resampling see Owen, "The pigeonhole bootstrap",
2007; of three seeds it draws too few different samples). As a variance of two or three seeds is
itself hardly known, the bounds take Student's quantile for that part, weighted as in Cochran and
Cox's test ("Experimental Designs", 1957, section 4.14), which errs on the wide side too.

Simulated with 100 questions and 2, 3 and 5 seeds that differ by 0 to 0.1, the 95 % intervals held
the true mean in 94 to 99 of 100 studies.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

TAIL = 0.025
"""On either side of an interval."""
HALVINGS = 50


def variance(values: Array) -> float:
    """The variance of the mean by its seeds alone; ``values`` is (seeds, questions)."""
    seeds = len(values)
    return float(values.mean(axis=1).var(ddof=1)) / seeds if seeds > 1 else 0.0


def reach(side: Array, variances: Array, seeds: int) -> Array:
    """How far a bound is from its mean, where questions alone take it ``side`` away from it.

    ``variances`` are those of the means by their seeds; zero leaves ``side`` as it is.
    """
    normal, student = _quantiles(TAIL, seeds)
    questions = (side / normal) ** 2
    whole = variances + questions
    wide = (student * variances + normal * questions) / np.sqrt(np.where(whole, whole, 1.0))
    return np.asarray(np.where(variances > 0, wide, side))


def p_value(mean: float, by_seeds: float, by_questions: float, seeds: int) -> float:
    """Two-sided, of a mean being zero whose variance has these two parts."""
    whole = by_seeds + by_questions
    if not whole:
        return 0.0 if mean else 1.0
    ratio, low, high = abs(mean) / whole**0.5, 0.0, 0.5
    for _ in range(HALVINGS):
        tail = (low + high) / 2
        normal, student = _quantiles(tail, seeds)
        beyond = (student * by_seeds + normal * by_questions) / whole > ratio
        low, high = (tail, high) if beyond else (low, tail)
    return 2 * high


def shown(by_seeds: float, by_questions: float, seeds: int, tails: tuple[float, float]) -> float:
    """The smallest true mean that is found to differ from zero, by the two parts of its variance.

    ``tails`` are those of the test, on one side, and of how often it may be missed.
    """
    whole = by_seeds + by_questions
    if not whole:
        return 0.0
    normal, student = _quantiles(tails[0], seeds)
    power, _ = _quantiles(tails[1], seeds)
    level = (student * by_seeds + normal * by_questions) / whole
    return float((level + power) * whole**0.5)


def room(mean: float, by_seeds: float, seeds: int, tails: tuple[float, float]) -> float:
    """The variance by questions up to which such a mean is found; 0 where seeds alone hide it."""
    low, high = 0.0, mean**2
    if shown(by_seeds, low, seeds, tails) >= mean:
        return 0.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        fits = shown(by_seeds, middle, seeds, tails) <= mean
        low, high = (middle, high) if fits else (low, middle)
    return low


def _quantiles(tail: float, seeds: int) -> tuple[Any, Any]:
    """How far out the normal and Student's distribution leave a tail."""
    from scipy.special import ndtri, stdtrit  # a fifth of a second to import

    return -ndtri(tail), -stdtrit(max(seeds - 1, 1), tail)
