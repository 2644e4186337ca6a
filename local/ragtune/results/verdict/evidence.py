"""What a verdict is reached from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ragtune.recipe.arms import Arm
from ragtune.results.faults import AnyFault, FewQuestions
from ragtune.results.parts import Baseline, Coverage, Paired
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

    ``metric`` names the one that decides, ``questions`` counts the judged ones, ``records`` those
    trained on. ``baselines`` are by metric.
    """

    metric: str
    questions: int
    arms: Mapping[Arm, ArmFigures]
    differences: Sequence[Difference]
    baselines: Mapping[str, Baseline]
    faults: Sequence[AnyFault]
    failures: Failures
    records: int
    freshness: Freshness | None
    curve: LearningCurve | None
    coverage: Coverage | None

    @classmethod
    def of(cls, results: Results) -> "Evidence":
        """What a run's results say."""
        return cls(
            metric=results.recommendation.metric,
            questions=results.judged,
            arms=results.arms,
            differences=results.differences,
            baselines=results.baselines,
            faults=results.faults,
            failures=results.failures,
            records=results.data.train,
            freshness=results.freshness,
            curve=results.learning_curve,
            coverage=results.coverage,
        )

    @property
    def constant(self) -> Baseline | None:
        """The best constant answer by the metric that decides."""
        return self.baselines.get(self.metric)

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

    def beats(self, arm: Arm, other: Arm) -> bool:
        """Whether ``arm`` is significantly better than ``other``."""
        pair = self.between(arm, other)
        return pair is not None and pair.different and pair.mean > 0

    def against_constant(self, arm: Arm) -> Paired | None:
        """How an arm compares with the best constant answer; None where it was not compared."""
        return self.constant.against.get(arm) if self.constant else None

    def forbidding(self, arm: Arm) -> list[AnyFault]:
        """The faults that forbid a verdict against an arm, but for a lack of questions."""
        return [
            fault
            for fault in self.faults
            if fault.severity == "forbids"
            and arm in fault.arms
            and not isinstance(fault, FewQuestions)
        ]
