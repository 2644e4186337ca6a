"""What a verdict is reached from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ragtune.recipe.schema import Arm
from ragtune.results.schema import (
    ArmFigures,
    Difference,
    Failures,
    Freshness,
    LearningCurve,
    Results,
)


@dataclass(frozen=True)
class Evidence:
    """The figures that the rule, the criteria and what would change them look at.

    ``metric`` names the one that decides, ``records`` counts those trained on.
    """

    metric: str
    arms: Mapping[Arm, ArmFigures]
    differences: Sequence[Difference]
    failures: Failures
    records: int
    freshness: Freshness | None
    curve: LearningCurve | None

    @classmethod
    def of(cls, results: Results) -> "Evidence":
        """What the verdict in a run's results was reached from."""
        return cls(
            metric=results.recommendation.metric,
            arms=results.arms,
            differences=results.differences,
            failures=results.failures,
            records=results.data.train,
            freshness=results.freshness,
            curve=results.learning_curve,
        )

    def quality(self, arm: Arm) -> float:
        """The mean of an arm that the rule judges by."""
        return self.arms[arm].quality[self.metric].mean

    def between(self, left: Arm, right: Arm) -> Difference | None:
        """How two arms compare, with ``left`` on the left; None where they were not compared."""
        for pair in self.differences:
            if pair.metric != self.metric or {pair.left, pair.right} != {left, right}:
                continue
            if pair.left == left:
                return pair
            low, high = pair.ci95
            swapped = {"left": left, "right": right, "mean": -pair.mean, "ci95": (-high, -low)}
            return pair.model_copy(update=swapped)
        return None
