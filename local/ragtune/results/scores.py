"""Each metric's scores of an arm's answers, and how arms differ by them."""

from collections.abc import Mapping, Sequence

import numpy as np

from ragtune.recipe.arms import Arm
from ragtune.results.metrics.base import Case, Tools
from ragtune.results.metrics.registry import NOTHING, metrics, set_metrics
from ragtune.results.metrics.registry import score as score_by
from ragtune.results.parts import Mean
from ragtune.results.rightness import case, is_unanswerable, labels
from ragtune.results.rows import Answered
from ragtune.results.schema import Difference, Quality
from ragtune.results.statistics import Values, compare, estimate, rounded, widened
from ragtune.sources.records import Record

Scores = Mapping[str, Sequence[float]]
"""One number a judged question, by metric."""
BLOCK = 1000
"""Cases that all metrics score before the next: their texts' words are still remembered then."""


def judged(
    questions: Sequence[Record], answers: Sequence[Answered], refusals: Sequence[str]
) -> list[Case]:
    """The cases that quality is over, in order: the answerable ones, all where none is.

    ``refusals`` are the study's own phrases.
    """
    named = labels(questions, refusals)
    both = list(zip(questions, answers, strict=True))
    answerable = [(q, a) for q, a in both if not is_unanswerable(q, refusals)]
    return [
        case(q, a.text, refusals, passages=[p.text for p in a.sources], labels=named)
        for q, a in answerable or both
    ]


def score(cases: Sequence[Case], tools: Tools = NOTHING) -> Scores:
    """The scores of the cases by each metric that needs nothing but these tools.

    Raises RagtuneError where a metric does not give one from 0 to 1 for each case.
    """
    used = metrics(tools)
    found: dict[str, list[float]] = {name: [] for name in used}
    for start in range(0, len(cases), BLOCK):
        for name, metric in used.items():
            found[name] += score_by(metric, cases[start : start + BLOCK])
    return found


def quality(scores: Mapping[str, Values], cases: Sequence[Sequence[Case]], seed: int) -> Quality:
    """The mean of each metric, and the figures of those that are of all cases together.

    ``cases`` are those of each seed that the arm was tuned with.
    """
    found: dict[str, Mean] = {name: estimate(values, seed) for name, values in scores.items()}
    for name, metric in set_metrics().items():
        of_all = [metric.estimate(of, seed) for of in cases]
        known = [mean for mean in of_all if mean is not None]
        if len(known) == len(cases):
            found[name] = _together(known)
    return found


def _together(means: Sequence[Mean]) -> Mean:
    """The mean of several seeds' figures; its interval is theirs on average, and wider by seeds."""
    mean = float(np.mean([of.mean for of in means]))
    low, high = np.mean([of.ci95 for of in means], axis=0)
    return widened(rounded(mean, float(low), float(high)), np.array([[m.mean] for m in means]))


def differences(scores: Mapping[Arm, Mapping[str, Values]], seed: int) -> list[Difference]:
    """Each pair of arms on each metric, question by question; a metric is one family of pairs."""
    return [
        Difference(metric=metric, **dict(pair))
        for metric in next(iter(scores.values()), {})
        for pair in compare({arm: values[metric] for arm, values in scores.items()}, seed)
    ]
