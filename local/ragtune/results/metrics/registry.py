"""The metrics there are, in the order in which they are shown.

A package adds its own through the entry-point group ``ragtune.metrics``, each entry an object or a
class that is a `Metric`; a program through `register`.
"""

import functools
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points

from ragtune.core.errors import RagtuneError, RecipeError
from ragtune.results.metrics.base import Case, Equipped, Metric, SetMetric, Tools
from ragtune.results.metrics.labels import ACCURACY, MACRO_F1
from ragtune.results.metrics.numeric import NUMERIC_ERROR
from ragtune.results.metrics.similarity import SIMILARITY
from ragtune.results.metrics.single import EXACT_MATCH, RECALL, RIGHT, ROUGE_L, TOKEN_F1

GROUP = "ragtune.metrics"
NOTHING = Tools()

_METRICS: dict[str, Metric] = {
    m.name: m for m in (RIGHT, TOKEN_F1, EXACT_MATCH, ROUGE_L, RECALL, SIMILARITY)
}
_SET_METRICS: dict[str, SetMetric] = {m.name: m for m in (MACRO_F1, ACCURACY, NUMERIC_ERROR)}


def register(metric: Metric) -> None:
    """Add a metric after those there are.

    Raises RagtuneError where its name is taken by another.
    """
    if _METRICS.get(metric.name, metric) is not metric or metric.name in _SET_METRICS:
        raise RagtuneError(f"metric {metric.name}: there is one of this name; give it another")
    _METRICS[metric.name] = metric


def metrics(tools: Tools = NOTHING) -> Mapping[str, Metric]:
    """The metrics by name that need nothing but these tools, ready to score with them."""
    _load_plugins()
    return {
        name: metric.using(tools) if isinstance(metric, Equipped) else metric
        for name, metric in _METRICS.items()
        if metric.needs <= tools.offered
    }


def set_metrics(tools: Tools = NOTHING) -> Mapping[str, SetMetric]:
    """As `metrics`, of figures that are of all cases together."""
    return {n: metric for n, metric in _SET_METRICS.items() if metric.needs <= tools.offered}


def needs(name: str) -> frozenset[str]:
    """What a metric that can decide needs.

    Raises RecipeError where there is none of this name, or where it has no scores to compare.
    """
    _load_plugins()
    if name in _SET_METRICS:
        raise RecipeError(
            f"study.metric: {name} has no score of a single answer; allowed: {_choices()}"
        )
    if name not in _METRICS:
        raise RecipeError(f"study.metric: no metric {name}; allowed: {_choices()}")
    return _METRICS[name].needs


def _choices() -> str:
    return ", ".join(("auto", *_METRICS))


def title(name: str) -> str:
    """What table and page call a metric; its name where it is not installed here."""
    _load_plugins()
    known = _METRICS.get(name) or _SET_METRICS.get(name)
    return known.title if known else name


def score(metric: Metric, cases: Sequence[Case]) -> list[float]:
    """The metric's scores of the cases.

    Raises RagtuneError where it does not give a number from 0 to 1 for each.
    """
    found = metric.scores(cases)
    if len(found) != len(cases) or not all(0 <= value <= 1 for value in found):
        raise RagtuneError(
            f"metric {metric.name}: gave {len(found)} scores for {len(cases)} answers, or some "
            "outside 0 to 1; it must give one from 0 to 1 for each"
        )
    return found


@functools.cache
def _load_plugins() -> None:
    for entry in entry_points(group=GROUP):
        found = entry.load()
        register(found() if isinstance(found, type) else found)
