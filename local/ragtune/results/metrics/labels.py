"""Accuracy and macro-F1, where the references are labels: a few texts that come again and again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ragtune.core.text import normalised
from ragtune.results.draws import resamples
from ragtune.results.metrics.base import Case
from ragtune.results.metrics.choices import only_label
from ragtune.results.parts import Mean
from ragtune.results.statistics import LEVEL, estimate, expanded, rounded

MOST = 20
TIMES = 5


def label_set(references: Sequence[str]) -> list[str]:
    """The labels, each as it is first written, in order; empty where the references are none.

    They are labels where at most `MOST` different texts are each used `TIMES` times on average.
    """
    found: dict[str, str] = {}
    for reference in references:
        found.setdefault(normalised(reference), reference)
    return list(found.values()) if 2 <= len(found) <= min(MOST, len(references) // TIMES) else []


@dataclass(frozen=True)
class MacroF1:
    """The mean over labels of each label's F1."""

    name: str = "macro_f1"
    title: str = "macro-F1 over labels"
    needs: frozenset[str] = frozenset()

    def estimate(self, cases: Sequence[Case], seed: int) -> Mean | None:
        """Over the first reference of each case; None where the references are no labels."""
        return macro_f1([c.answer for c in cases], [c.references[0] for c in cases], seed)


@dataclass(frozen=True)
class Accuracy:
    """The share of answers that name their label and no other."""

    name: str = "accuracy"
    title: str = "accuracy over labels"
    needs: frozenset[str] = frozenset()

    def estimate(self, cases: Sequence[Case], seed: int) -> Mean | None:
        """Over the first reference of each case; None where the references are no labels."""
        return accuracy([c.answer for c in cases], [c.references[0] for c in cases], seed)


def accuracy(answers: Sequence[str], references: Sequence[str], seed: int) -> Mean | None:
    """The share of answers that name their label and no other; None without labels."""
    labels = label_set(references)
    if not labels:
        return None
    found, wanted = _named(answers, labels), [normalised(r) for r in references]
    return estimate([float(f == w) for f, w in zip(found, wanted, strict=True)], seed)


def macro_f1(answers: Sequence[str], references: Sequence[str], seed: int) -> Mean | None:
    """The mean over labels of each label's F1, with its bootstrap interval; None without labels.

    An answer names a label in a sentence as well. One that names none, or several, is wrong for
    its reference and harms no other; a label that a resample does not hold is left out of that
    resample's mean.
    """
    labels = label_set(references)
    if not labels:
        return None
    columns = np.array([normalised(label) for label in labels])
    said = np.array(_named(answers, labels))[:, None] == columns
    wanted = np.array([normalised(r) for r in references])[:, None] == columns
    hits, uses = (said & wanted).astype(float), said.astype(float) + wanted
    count = len(said)
    drawn = np.concatenate(
        [_macro(block @ hits, block @ uses, block @ wanted) for block in resamples(count, seed)]
    )
    tail = expanded(LEVEL / 2, count)
    mean = float(_macro(*(part.sum(axis=0)[None] for part in (hits, uses, wanted)))[0])
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return rounded(mean, float(min(low, mean)), float(max(high, mean)))


def _named(answers: Sequence[str], labels: Sequence[str]) -> list[str]:
    """The one label that each answer names, normalised; "" where it names none or several."""
    return [normalised(label) if (label := only_label(a, labels)) else "" for a in answers]


def _macro(hits: Any, uses: Any, wanted: Any) -> Any:
    """Macro-F1 of each row, from (rows, labels) counts; F1 is 2 · hits / (said + wanted)."""
    f1 = np.divide(2 * hits, uses, out=np.zeros_like(uses), where=uses > 0)
    held = wanted > 0
    return (f1 * held).sum(axis=1) / held.sum(axis=1)


MACRO_F1 = MacroF1()
ACCURACY = Accuracy()
