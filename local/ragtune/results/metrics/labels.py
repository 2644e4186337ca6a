"""Macro-F1, where the references are labels: a few texts that come again and again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ragtune.results.metrics.base import Case
from ragtune.results.metrics.overlap import normalise
from ragtune.results.parts import Mean
from ragtune.results.statistics import LEVEL, expanded, resamples, rounded

MOST = 20
TIMES = 5


def label_set(references: Sequence[str]) -> list[str]:
    """The labels, normalised, in order of first use; empty where the references are none.

    They are labels where at most `MOST` different texts are each used `TIMES` times on average.
    """
    found = list(dict.fromkeys(normalise(r) for r in references))
    return found if 2 <= len(found) <= min(MOST, len(references) // TIMES) else []


@dataclass(frozen=True)
class MacroF1:
    """The mean over labels of each label's F1."""

    name: str = "macro_f1"
    title: str = "macro-F1 over labels"
    needs: frozenset[str] = frozenset()

    def estimate(self, cases: Sequence[Case], seed: int) -> Mean | None:
        """Over the first reference of each case; None where the references are no labels."""
        return macro_f1([c.answer for c in cases], [c.references[0] for c in cases], seed)


def macro_f1(answers: Sequence[str], references: Sequence[str], seed: int) -> Mean | None:
    """The mean over labels of each label's F1, with its bootstrap interval; None without labels.

    Accuracy is `exact_match`. An answer that is no label is wrong for its reference and harms no
    other; a label that a resample does not hold is left out of that resample's mean.
    """
    labels = label_set(references)
    if not labels:
        return None
    said = np.array([normalise(a) for a in answers])[:, None] == np.array(labels)
    wanted = np.array([normalise(r) for r in references])[:, None] == np.array(labels)
    hits, uses = (said & wanted).astype(float), said.astype(float) + wanted
    count = len(said)
    drawn = np.concatenate(
        [_macro(block @ hits, block @ uses, block @ wanted) for block in resamples(count, seed)]
    )
    tail = expanded(LEVEL / 2, count)
    mean = float(_macro(*(part.sum(axis=0)[None] for part in (hits, uses, wanted)))[0])
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return rounded(mean, float(min(low, mean)), float(max(high, mean)))


def _macro(hits: Any, uses: Any, wanted: Any) -> Any:
    """Macro-F1 of each row, from (rows, labels) counts; F1 is 2 · hits / (said + wanted)."""
    f1 = np.divide(2 * hits, uses, out=np.zeros_like(uses), where=uses > 0)
    held = wanted > 0
    return (f1 * held).sum(axis=1) / held.sum(axis=1)


MACRO_F1 = MacroF1()
