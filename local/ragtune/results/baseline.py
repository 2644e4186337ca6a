"""The best constant answer: what one text, given to every question, would score.

An arm that is not above it has learnt no more than how the answers are distributed.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from ragtune.recipe.arms import Arm
from ragtune.results.metrics.base import Case
from ragtune.results.parts import Baseline
from ragtune.results.scores import Scores
from ragtune.results.statistics import Values, compare_with

Item = TypeVar("Item")

FREQUENT, OTHERS = 8, 8
"""Texts that are tried: the most frequent references, and some of those that occur once."""
SCREENED = 60
"""Questions that each of them is tried on; the best is then scored on all."""


def baselines(
    cases: Sequence[Case],
    scores: Mapping[Arm, Mapping[str, Values]],
    refusal: str,
    score: Callable[[Sequence[Case]], Scores],
    seed: int,
) -> dict[str, Baseline]:
    """The best constant answer by each metric, and how each arm compares with it.

    ``cases`` are any arm's; their answers are not looked at. The candidates are references and the
    refusal. A reference of a single question is no credit on that question, where it would be
    right by construction: there it gets its mean over the others.
    """
    texts = candidates([case.references[0] for case in cases], refusal)
    few = _spread(cases, SCREENED)
    tried = {text: _scored(text, few, score) for text in texts}
    metrics = list(next(iter(scores.values())))
    means = {m: [float(np.mean(tried[text][m])) for text in texts] for m in metrics}
    chosen = {m: texts[int(np.argmax(means[m]))] for m in metrics}
    whole = {text: _scored(text, cases, score) for text in dict.fromkeys(chosen.values())}
    return {
        metric: Baseline(
            answer=text,
            mean=round(float(np.mean(whole[text][metric])), 6),
            against=compare_with(
                whole[text][metric], {arm: of[metric] for arm, of in scores.items()}, seed
            ),
        )
        for metric, text in chosen.items()
    }


def candidates(references: Sequence[str], refusal: str) -> list[str]:
    """The refusal, the references that occur most often, and some of those that occur once."""
    counts = Counter(references)
    often = [text for text, uses in counts.most_common(FREQUENT) if uses > 1]
    once = [text for text, uses in counts.items() if uses == 1]
    return list(dict.fromkeys([refusal, *often, *_spread(once, OTHERS)]))


def _scored(
    text: str, cases: Sequence[Case], score: Callable[[Sequence[Case]], Scores]
) -> Mapping[str, list[float]]:
    """The scores of one answer to all cases, its own reference's put to the mean of the others."""
    found = score([replace(case, answer=text) for case in cases])
    own = [n for n, case in enumerate(cases) if text in case.references]
    if len(own) != 1 or len(cases) == 1:
        return {metric: list(values) for metric, values in found.items()}
    return {metric: _without(values, own[0]) for metric, values in found.items()}


def _without(values: Sequence[float], place: int) -> list[float]:
    others = [*values[:place], *values[place + 1 :]]
    return [*values[:place], float(np.mean(others)), *values[place + 1 :]]


def _spread(items: Sequence[Item], count: int) -> list[Item]:
    """At most ``count`` of the items, at even distances."""
    count = min(count, len(items))
    return [items[n * len(items) // count] for n in range(count)]
