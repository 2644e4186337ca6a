"""Which arms answer at all: asked before anything else of them is compared."""

from ragtune.recipe.arms import Arm
from ragtune.results.verdict.evidence import Evidence
from ragtune.results.verdict.reasons import Dead

NOTHING = 0.05
"""An arm with a mean under this answers next to nothing."""


def dead(evidence: Evidence, arm: Arm) -> Dead | None:
    """Why an arm is out before all else: under the floor, or not above the best constant answer."""
    got, constant = evidence.quality(arm), evidence.constant
    if got >= NOTHING and (constant is None or got > constant.mean):
        return None
    return Dead(
        criterion="right answers",
        metric=evidence.metric,
        mean=got,
        floor=NOTHING,
        constant=constant.mean if constant else None,
        answer=constant.answer if constant else None,
    )


def living(evidence: Evidence) -> list[Arm]:
    """The arms that are not dead, in the recipe's order."""
    return [arm for arm in evidence.arms if dead(evidence, arm) is None]


def proven(evidence: Evidence, arm: Arm) -> bool:
    """Whether an arm is significantly above the best constant answer.

    A metric without scores of single questions has no test of that; there the arm's interval has
    to be above it.
    """
    constant = evidence.constant
    pair = evidence.against_constant(arm)
    if pair is not None:
        return pair.different and pair.mean > 0
    low, _ = evidence.arms[arm].quality[evidence.metric].ci95
    return low > (constant.mean if constant else 0.0)
