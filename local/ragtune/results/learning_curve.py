"""The learning curve: how good an arm is after so many training records.

A share is the first of the records in an order drawn from the seed, so a larger share holds every
smaller one. Each is tuned by the recipe's own schedule, on rows made as all rows are.
"""

import random
from collections.abc import Mapping, Sequence

from ragtune.recipe.arms import Arm
from ragtune.results.schema import CurvePoint, LearningCurve
from ragtune.results.statistics import compare, estimate
from ragtune.sources.records import Record

Scores = Mapping[Arm, Sequence[float]]
"""One number a judged question, by arm."""


def subset(records: Sequence[Record], share: float, seed: int) -> list[Record]:
    """A share of the records, at least one, in their own order."""
    count = max(1, round(share * len(records)))
    chosen = random.Random(seed).sample(range(len(records)), len(records))[:count]
    return [records[n] for n in sorted(chosen)]


def figures(
    metric: str, points: Mapping[float, Scores], records: int, seed: int
) -> LearningCurve | None:
    """The curve of each tuned arm; ``points`` holds `Scores` by share, the run's own at 1.

    ``enough`` is the smallest share from which on none is significantly different from all
    records, paired by question and with Holm's correction over the shares of the arm; 1 where every
    share is. That they do not differ significantly does not mean that they are equal: see the
    intervals. None without shares.
    """
    shares = sorted(points)
    if len(shares) < 2:
        return None
    arms = list(points[shares[-1]])
    return LearningCurve(
        metric=metric,
        points=[
            CurvePoint(
                share=share,
                records=max(1, round(share * records)),
                arms={arm: estimate(points[share][arm], seed) for arm in arms},
            )
            for share in shares
        ],
        enough={
            arm: _enough({share: points[share][arm] for share in shares}, seed) for arm in arms
        },
    )


def _enough(scores: Mapping[float, Sequence[float]], seed: int) -> float:
    full = max(scores)
    pairs = compare({str(share): values for share, values in scores.items()}, seed)
    short = [float(p.left) for p in pairs if p.different and p.right == str(full)]
    return min(share for share in scores if share > max(short, default=0.0))
