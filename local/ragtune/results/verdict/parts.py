"""What each arm is made of, and which of several that do equally well has the fewest parts."""

from collections.abc import Mapping, Sequence

from ragtune.recipe.arms import Arm
from ragtune.recipe.schema import Needs
from ragtune.results.verdict.evidence import Evidence
from ragtune.results.verdict.needs import NEAR, spending

Parts = frozenset[str]

PARTS: Mapping[Arm, Parts] = {
    "base": frozenset(),
    "fewshot": frozenset({"examples"}),
    "rag": frozenset({"index"}),
    "rag-records": frozenset({"index"}),
    "tuned": frozenset({"adapter"}),
    "tuned+rag": frozenset({"index", "adapter"}),
}

"""In the order in which they are taken where all else is equal: the easiest to keep up first."""


def count(arm: Arm) -> int:
    """How many parts an arm has."""
    return len(PARTS[arm])


def simplest(needs: Needs, evidence: Evidence, arms: Sequence[Arm]) -> Arm:
    """The arm with the fewest parts.

    Of several, where the number of queries is known, only those stay that cost about as little a
    month as the cheapest of them, tuning's own cost included. Of these the first in `PARTS` is it.
    """
    fewest = min(map(count, arms))
    same = [arm for arm in arms if count(arm) == fewest]
    if needs.queries_per_month is not None:
        costs = {arm: spending(needs, arm, evidence.arms[arm]).amount for arm in same}
        lowest = min(costs.values())
        same = [arm for arm in same if costs[arm] <= (1 + NEAR) * lowest]
    return min(same, key=list(PARTS).index)
