"""Whether tuning is what a run recommends: asked before anything is tuned for money."""

from typing import Annotated, Literal

from pydantic import Field

from ragtune.recipe.arms import Arm
from ragtune.results.parts import Bounds, Part
from ragtune.results.schema import Results
from ragtune.results.verdict.evidence import Evidence
from ragtune.results.verdict.reasons import Because

WITHOUT: dict[Arm, Arm] = {"tuned": "base", "tuned+rag": "rag"}
"""The same arm without tuning."""


class NoArm(Part):
    """The run names no arm."""

    kind: Literal["no_arm"] = "no_arm"
    because: Because


class NotTuned(Part):
    """The run names an arm without tuning."""

    kind: Literal["not_tuned"] = "not_tuned"
    arm: Arm


class NotCompared(Part):
    """The named arm was not compared with ``other``, the same one without tuning."""

    kind: Literal["not_compared"] = "not_compared"
    arm: Arm
    other: Arm


class NotHelped(Part):
    """Tuning does not help the named arm: it is not significantly better than ``other``."""

    kind: Literal["not_helped"] = "not_helped"
    arm: Arm
    other: Arm
    metric: str
    mean: float
    ci95: Bounds


Objection = Annotated[NoArm | NotTuned | NotCompared | NotHelped, Field(discriminator="kind")]


def objection(results: Results) -> Objection | None:
    """Why a run is no case for tuning; None where the arm it names is tuned, and tuning helps it.

    It goes by the verdict: the same arm, the same metric, the same comparison.
    """
    said = results.recommendation
    if said.arm is None:
        return NoArm(because=said.because)
    if said.arm not in WITHOUT:
        return NotTuned(arm=said.arm)
    other, evidence = WITHOUT[said.arm], Evidence.of(results)
    pair = evidence.between(said.arm, other)
    if pair is None:
        return NotCompared(arm=said.arm, other=other)
    if evidence.beats(said.arm, other):
        return None
    return NotHelped(arm=said.arm, other=other, metric=said.metric, mean=pair.mean, ci95=pair.ci95)
