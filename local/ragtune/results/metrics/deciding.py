"""Which metric decides, and why: from the kind of the references, unless the recipe says."""

from collections.abc import Sequence
from statistics import median

from ragtune.core.text.characters import is_unspaced
from ragtune.core.text.words import words
from ragtune.results.metrics.labels import MACRO_F1, label_set
from ragtune.results.metrics.registry import needs
from ragtune.results.metrics.similarity import SIMILARITY
from ragtune.results.metrics.single import RIGHT, ROUGE_L
from ragtune.results.parts import Deciding, WhyDeciding

AUTO = "auto"
SHORT = 8
"""The median words of a reference up to which an answer is judged right or wrong."""


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


def _deciding(metric: str, why: WhyDeciding, length: float) -> Deciding:
    return Deciding(metric=metric, why=why, words=length, shown=metric)


def _length(reference: str) -> float:
    """Words; two characters of a script without spaces are about one."""
    return sum(0.5 if is_unspaced(word) else 1 for word in words(reference))
