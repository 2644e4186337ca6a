"""Means with intervals, and which arms differ; the questions are the unit that was sampled.

Values are one a question, or (seeds, questions) where tuning was repeated: then means are over
both, and what seeds add to the intervals is in `ragtune.results.seeds`.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ragtune.results import seeds
from ragtune.results.draws import DRAWS, resamples, signs
from ragtune.results.parts import Mean, Paired

LEVEL = 0.05
"""Of a family of comparisons: the chance that arms which are alike are called different."""
POWER = 0.8
"""The chance to see a difference, that `more_questions` and `smallest_difference` ask for."""
CONSTANT = "constant"
"""The name of the constant answer, as a side of a comparison."""

Array = npt.NDArray[np.float64]
Values = Sequence[float] | Sequence[Sequence[float]] | Array
"""One a question, or a row of them a seed."""
Name = TypeVar("Name", bound=str)


def estimate(values: Values, seed: int) -> Mean:
    """The mean of ``values`` and its interval (see `intervals`).

    Raises ValueError when there are none.
    """
    if not len(values):
        raise ValueError("no values to estimate a mean from")
    data = by_seed(values)
    low, high = intervals(data.mean(axis=0)[:, None], seed)
    return widened(rounded(float(data.mean()), float(low[0]), float(high[0])), data)


def by_seed(values: Values) -> Array:
    """The values as (seeds, questions), which is one row where tuning was not repeated."""
    return np.atleast_2d(np.asarray(values, dtype=float))


def widened(of: Mean, data: Array, least: float = 0.0) -> Mean:
    """A mean whose interval is by questions alone, with what its seeds add; ``data`` by seed."""
    if len(data) < 2:
        return of
    sides = np.array([of.mean - of.ci95[0], of.ci95[1] - of.mean])
    low, high = seeds.reach(sides, np.full(2, seeds.variance(data)), len(data))
    return rounded(of.mean, max(least, of.mean - float(low)), min(1.0, of.mean + float(high)))


def rounded(mean: float, low: float, high: float) -> Mean:
    """A mean and its bounds, to six places."""
    return Mean(mean=round(mean, 6), ci95=(round(low, 6), round(high, 6)))


def intervals(values: Array, seed: int) -> tuple[Array, Array]:
    """The lower and upper 95 % bounds of each column's mean; ``values`` is (questions, columns).

    A column of nothing but 0 and 1 is a share and gets Wilson's score interval (1927), which has
    a width even where all are equal. Any other gets the expanded percentile bootstrap: Efron's
    percentiles, moved outwards so that few questions do not make the interval too narrow
    (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015, section 5.3). All columns
    share the resampled questions.
    """
    shares = np.isin(values, (0.0, 1.0)).all(axis=0)
    low, high = np.empty(values.shape[1]), np.empty(values.shape[1])
    low[shares], high[shares] = _wilson(values[:, shares].mean(axis=0), len(values))
    if not shares.all():
        low[~shares], high[~shares] = _bootstrap(values[:, ~shares], seed)
    return low, high


def gap_intervals(gaps: Array, seed: int) -> tuple[Array, Array]:
    """As `intervals`, of paired differences from -1 to 1: the same to either side.

    Where all of a column are equal, resampling knows of no others; it gets the width that Wilson's
    interval gives a share of 0 among as many questions.
    """
    low, high = _bootstrap(gaps, seed)
    alike = (gaps == gaps[0]).all(axis=0)
    reach = _wilson(np.zeros(1), len(gaps))[1][0]
    low[alike], high[alike] = gaps[0, alike] - reach, gaps[0, alike] + reach
    return np.clip(low, -1, 1), np.clip(high, -1, 1)


def _bootstrap(values: Array, seed: int) -> tuple[Array, Array]:
    count = len(values)
    means = np.concatenate([block @ values / count for block in resamples(count, seed)])
    tail = float(expanded(LEVEL / 2, count))
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return low, high


def _normal_quantile(share: float) -> float:
    """The standard normal variate below which a share lies."""
    from scipy.special import ndtri  # a fifth of a second, and figures are read without it

    return float(ndtri(share))


def expanded(tail: float, count: int) -> float:
    """The bootstrap percentile to take for ``tail`` with ``count`` questions."""
    if count < 2:
        return 0.0
    from scipy.special import ndtr, stdtrit

    return float(ndtr(math.sqrt(count / (count - 1)) * stdtrit(count - 1, tail)))


def compare(scores: Mapping[str, Values], seed: int) -> list[Paired]:
    """Every pair of arms on one metric, corrected for the number of pairs by Holm's method (1979).

    ``scores`` holds each arm's values, in the order of the questions. The p-values are those of
    the paired sign-flip test (`sign_flip`); where an arm has seeds, not less than that of
    `seeds.p_value`. Two arms with seeds are paired by seed as well.
    """
    return _family({(a, b): (scores[a], scores[b]) for a, b in combinations(scores, 2)}, seed)


def compare_with(
    constant: Sequence[float], scores: Mapping[Name, Values], seed: int
) -> dict[Name, Paired]:
    """Each arm with the constant answer, as `compare` does, corrected for the number of arms."""
    pairs = {(str(arm), CONSTANT): (values, constant) for arm, values in scores.items()}
    return dict(zip(scores, _family(pairs, seed), strict=True))


def _family(pairs: Mapping[tuple[str, str], tuple[Values, Values]], seed: int) -> list[Paired]:
    """Comparisons of one family, by the names of their two sides."""
    if not pairs:
        return []
    each = [_differences(by_seed(a), by_seed(b)) for a, b in pairs.values()]
    gaps = np.array([rows.mean(axis=0) for rows in each]).T
    low, high = gap_intervals(gaps, seed)
    alone = np.maximum(sign_flip(gaps, seed), [_by_seeds(rows) for rows in each])
    corrected, levels = holm(alone)
    found = []
    for n, (left, right) in enumerate(pairs):
        different = bool(corrected[n] <= LEVEL)
        level, spread = float(levels[n]), seeds.variance(each[n])
        gap = rounded(float(gaps[:, n].mean()), float(low[n]), float(high[n]))
        gap = widened(gap, each[n], least=-1.0)
        found.append(
            Paired(
                left=left,
                right=right,
                mean=gap.mean,
                ci95=gap.ci95,
                p=round(float(alone[n]), 6),
                p_holm=round(float(corrected[n]), 6),
                different=different,
                more_questions=(
                    None if different else more_questions(gaps[:, n], level, spread, len(each[n]))
                ),
                smallest=smallest_difference(gaps[:, n], level, spread, len(each[n])),
            )
        )
    return found


def _differences(left: Array, right: Array) -> Array:
    """Paired by question, and by seed: over as many as both have, or all of the only one."""
    if 1 not in (len(left), len(right)):
        common = min(len(left), len(right))
        left, right = left[:common], right[:common]
    return np.asarray(left - right)


def _by_seeds(gaps: Array) -> float:
    """The p-value of differences (seeds, questions) with both as samples; 0 without seeds."""
    count = gaps.shape[1]
    if len(gaps) < 2 or count < 2:
        return 0.0
    questions = float(gaps.mean(axis=0).var(ddof=1)) / count
    return seeds.p_value(float(gaps.mean()), seeds.variance(gaps), questions, len(gaps))


def sign_flip(gaps: Array, seed: int) -> Array:
    """Two-sided p-values of each column's mean being zero; ``gaps`` is (questions, columns).

    Fisher's randomisation test: were two arms alike, each difference might as well have had the
    other sign. `DRAWS` random sets of signs stand for all of them, with the one seen added.
    `scipy.stats.permutation_test` does the same, from other draws and ten times as slowly.
    """
    seen = np.abs(gaps.sum(axis=0)) - 1e-9  # equal sums in another order are still equal
    beyond = np.zeros(gaps.shape[1])
    for flips in signs(len(gaps), seed):
        beyond += (np.abs(flips @ gaps) >= seen).sum(axis=0)
    return (beyond + 1) / (DRAWS + 1)


def holm(p: Array) -> tuple[Array, Array]:
    """Holm's step-down correction along the first axis: p-values, and the level each was held to.

    ``p`` is (comparisons,) or (comparisons, studies).
    """
    count = len(p)
    order = np.argsort(p, axis=0, kind="stable")
    left = np.arange(count, 0, -1).reshape(-1, *[1] * (p.ndim - 1))
    stepped = np.maximum.accumulate(np.take_along_axis(p, order, 0) * left, axis=0)
    corrected, levels = np.empty_like(p), np.empty_like(p)
    np.put_along_axis(corrected, order, np.minimum(stepped, 1.0), 0)
    np.put_along_axis(levels, order, np.broadcast_to(LEVEL / left, p.shape), 0)
    return corrected, levels


def more_questions(gaps: Array, level: float, by_seeds: float = 0.0, count: int = 1) -> int | None:
    """About how many more questions would make two arms differ at ``level``, with `POWER`.

    The normal approximation for a paired mean, n = ((z_level/2 + z_power) · sd / mean)², taken at
    the difference measured. None where the means are equal or there is one question only.
    ``by_seeds`` is the variance that ``count`` seeds add, which no question takes away: None where
    that alone hides the difference.
    """
    mean = abs(float(gaps.mean()))
    if len(gaps) < 2 or mean < 1e-12:
        return None
    variance = float(gaps.var(ddof=1))
    if by_seeds:
        room = seeds.room(mean, by_seeds, count, (level / 2, 1 - POWER))
        if not room:
            return None
        needed = variance / room
    else:
        reach = float(-_normal_quantile(level / 2) + _normal_quantile(POWER))
        needed = variance * (reach / mean) ** 2
    return max(1, math.ceil(needed) - len(gaps))


def smallest_difference(
    gaps: Array, level: float, by_seeds: float = 0.0, repeated: int = 1
) -> float | None:
    """The smallest true difference that as many questions show at ``level``, with `POWER`.

    For a paired mean, (z_level/2 + z_power) · sd / √n. Where all gaps are -1, 0 or 1, as for
    metrics of 0 and 1, that of McNemar's test (Connor 1987), solved for the difference:
    n = (z_level/2 · √d + z_power · √(d - δ²))² / δ², with d the share of questions that one arm
    alone has right, (k + 1) / (n + 2) of k in n so that it is never 0. The sign-flip test cannot
    reach ``level`` with less than 1 - log2(level) questions that differ, so the result is not less
    than their share; None where there are not as many questions. ``by_seeds`` is the variance
    that so many ``repeated`` tunings add.
    """
    count = len(gaps)
    fewest = math.ceil(1 - math.log2(level)) / count
    if fewest > 1:
        return None
    first, second = float(-_normal_quantile(level / 2)), float(_normal_quantile(POWER))
    if np.isin(gaps, (-1.0, 0.0, 1.0)).all():
        unlike = (float(np.count_nonzero(gaps)) + 1) / (count + 2)
        found = _mcnemar(unlike, count, first, second)
    else:
        found = (first + second) * float(gaps.std(ddof=1)) / math.sqrt(count)
    if by_seeds:
        questions = (found / (first + second)) ** 2
        found = seeds.shown(by_seeds, questions, repeated, (level / 2, 1 - POWER))
    return round(min(1.0, max(found, fewest)), 6)


def _mcnemar(unlike: float, count: int, first: float, second: float) -> float:
    """The root δ of Connor's formula, by halving; its normal approximation where it has none."""
    if first**2 * unlike > count * unlike**2:  # even δ = d, the greatest possible, is too small
        return (first + second) * math.sqrt(unlike / count)
    low, high = 0.0, unlike
    for _ in range(40):
        middle = (low + high) / 2
        reach = first * math.sqrt(unlike) + second * math.sqrt(unlike - middle**2)
        low, high = (middle, high) if reach**2 > count * middle**2 else (low, middle)
    return high


def _wilson(share: Array, count: int) -> tuple[Array, Array]:
    """Wilson's score interval of each share.

    Equal to ``scipy.stats.binomtest(…).proportion_ci(method="wilson")``, which takes 0.4 ms a share
    and half a second to import.
    """
    z = float(-_normal_quantile(LEVEL / 2))
    middle = share + z * z / (2 * count)
    reach = z * np.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    low, high = (middle - reach) / (1 + z * z / count), (middle + reach) / (1 + z * z / count)
    return np.minimum(np.clip(low, 0, 1), share), np.maximum(np.clip(high, 0, 1), share)
