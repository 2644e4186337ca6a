"""The metrics there are, in the order in which they are shown.

A package adds its own through the entry-point group ``ragtune.metrics``, each entry an object or a
class that is a `Metric`; a program through `register`.
"""

import functools
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points

from ragtune.core.errors import RagtuneError
from ragtune.results.metrics.base import Case, Metric, SetMetric
from ragtune.results.metrics.labels import MACRO_F1
from ragtune.results.metrics.overlap import EXACT_MATCH, ROUGE_L, TOKEN_F1

GROUP = "ragtune.metrics"
DECIDING = TOKEN_F1.name
"""The metric that verdict, promotion, sweep and learning curve go by."""

_METRICS: dict[str, Metric] = {m.name: m for m in (TOKEN_F1, EXACT_MATCH, ROUGE_L)}
_SET_METRICS: dict[str, SetMetric] = {MACRO_F1.name: MACRO_F1}


def register(metric: Metric) -> None:
    """Add a metric after those there are.

    Raises RagtuneError where its name is taken by another.
    """
    if _METRICS.get(metric.name, metric) is not metric or metric.name in _SET_METRICS:
        raise RagtuneError(f"metric {metric.name}: there is one of this name; give it another")
    _METRICS[metric.name] = metric


def metrics(offered: frozenset[str] = frozenset()) -> Mapping[str, Metric]:
    """The metrics by name that need nothing but what is ``offered``."""
    _load_plugins()
    return {name: metric for name, metric in _METRICS.items() if metric.needs <= offered}


def set_metrics(offered: frozenset[str] = frozenset()) -> Mapping[str, SetMetric]:
    """As `metrics`, of figures that are of all cases together."""
    return {name: metric for name, metric in _SET_METRICS.items() if metric.needs <= offered}


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
