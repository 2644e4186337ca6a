"""Which metric decides, and why: from the kind of the references, unless the recipe says."""

from collections.abc import Sequence
from statistics import median
from typing import Literal

from ragtune.core.text.characters import is_unspaced
from ragtune.core.text.words import words
from ragtune.results.metrics.labels import MACRO_F1, label_set
from ragtune.results.metrics.registry import needs
from ragtune.results.metrics.similarity import SIMILARITY
from ragtune.results.metrics.single import RIGHT, ROUGE_L
from ragtune.results.parts import Part

AUTO = "auto"
SHORT = 8
"""The median words of a reference up to which an answer is judged right or wrong."""

Why = Literal["recipe", "labels", "short references", "long references", "no embedder"]


class Deciding(Part):
    """The metric that verdict, promotion, sweep and learning curve go by.

    ``why``: the recipe names it; the references are labels, short, or long; or they are long and
    there is no embedder. ``words`` is the median of a reference's words. ``shown`` is the figure
    that people know for such references, where it is another: macro-F1 for labels, which has no
    score of a single answer to compare arms by.
    """

    metric: str
    why: Why
    words: float
    shown: str


def choose(wanted: str, references: Sequence[str], offered: frozenset[str]) -> Deciding:
    """The metric for answers to these references, the first of each question.

    Labels and short references are right or wrong; long ones are near or far, by the embedder
    where it is ``offered``, else by the words in common and their order.

    Raises RecipeError where ``wanted`` names a metric that cannot decide.
    """
    length = float(median(map(_length, references))) if references else 0.0
    known(wanted)
    if wanted != AUTO:
        return Deciding(metric=wanted, why="recipe", words=length, shown=wanted)
    if label_set(references):
        return Deciding(metric=RIGHT.name, why="labels", words=length, shown=MACRO_F1.name)
    if length <= SHORT:
        return _deciding(RIGHT.name, "short references", length)
    if offered >= SIMILARITY.needs:
        return _deciding(SIMILARITY.name, "long references", length)
    return _deciding(ROUGE_L.name, "no embedder", length)


def known(wanted: str) -> None:
    """Raise RecipeError where ``study.metric`` is neither `AUTO` nor a metric that can decide."""
    if wanted != AUTO:
        needs(wanted)


def _deciding(metric: str, why: Why, length: float) -> Deciding:
    return Deciding(metric=metric, why=why, words=length, shown=metric)


def _length(reference: str) -> float:
    """Words; two characters of a script without spaces are about one."""
    return sum(0.5 if is_unspaced(word) else 1 for word in words(reference))
