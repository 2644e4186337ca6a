"""What a verdict says, as values: why an arm is chosen or not, and what would change that.

`ragtune.results.wording` writes the sentences.
"""

from typing import Annotated, Literal

from pydantic import Field

from ragtune.recipe.arms import Arm
from ragtune.results.faults import AnyFault
from ragtune.results.parts import Bounds, Part
from ragtune.results.verdict.measured import Criterion, CriterionMeasured

Tie = Literal["parts", "cost", "order", "base"]
"""Fewer parts; the same number, and a lower cost a month; the same number, and the order of parts;
or the other one alone is significantly better than base."""
Often = Literal["never", "monthly", "weekly", "daily"]


class Spending(Part):
    """What an arm costs by the measure that the needs ask for; ``price`` where it is known."""

    unit: Literal["tokens a question", "machine seconds a month", "price a month"]
    amount: float
    price: float | None


class Against(Part):
    """Why an arm is not the one, and the criterion of the choice that this answers."""

    criterion: Criterion


class Dead(Against):
    """Answers next to nothing: under the ``floor``, or not above the best constant answer.

    ``constant`` is that one's mean, ``answer`` its text; both None where none was scored.
    """

    kind: Literal["dead"] = "dead"
    metric: str
    mean: float
    floor: float
    constant: float | None
    answer: str | None

    @property
    def under_floor(self) -> bool:
        """Whether the floor alone is enough to rule it out."""
        return self.mean < self.floor


class AtFault(Against):
    """Scores low, and by faults of the study that forbid a verdict against it."""

    kind: Literal["at_fault"] = "at_fault"
    metric: str
    mean: float
    faults: list[AnyFault]


class TooSlow(Against):
    """Over ``needs.p95_latency_ms``."""

    kind: Literal["too_slow"] = "too_slow"
    p95_ms: float
    limit_ms: float


class TooPoor(Against):
    """Under ``needs.min_quality``."""

    kind: Literal["too_poor"] = "too_poor"
    metric: str
    mean: float
    limit: float


class NoSources(Against):
    """Cites none, and ``needs.cite_sources`` asks for them."""

    kind: Literal["no_sources"] = "no_sources"


class LearntOnly(Against):
    """Knows only what it has learnt, and documents change daily; ``seconds`` of tuning again."""

    kind: Literal["learnt_only"] = "learnt_only"
    seconds: float | None


class TooStale(Against):
    """Takes longer to answer by a changed document than documents stay the same."""

    kind: Literal["too_stale"] = "too_stale"
    seconds: float
    documents_change: Often


class OverBudget(Against):
    """Over ``needs.budget_per_month``."""

    kind: Literal["over_budget"] = "over_budget"
    price: float
    limit: float


class Worse(Against):
    """Significantly worse than ``other``, by ``mean``."""

    kind: Literal["worse"] = "worse"
    other: Arm
    metric: str
    mean: float
    ci95: Bounds


class NotBetter(Against):
    """Not significantly different from ``other``, the arm that is chosen.

    ``tie``: what decided between the two. ``close``: at about the same cost, whoever costs more.
    """

    kind: Literal["not_better"] = "not_better"
    other: Arm
    spending: Spending
    close: bool
    more_questions: int | None
    tie: Tie = "parts"


Reason = Annotated[
    Dead
    | AtFault
    | TooSlow
    | TooPoor
    | NoSources
    | LearntOnly
    | TooStale
    | OverBudget
    | Worse
    | NotBetter,
    Field(discriminator="kind"),
]


class Chosen(Part):
    """An arm fits; ``not_different_from`` names the best arm where that is another."""

    kind: Literal["chosen"] = "chosen"
    metric: str
    mean: float
    spending: Spending
    not_different_from: Arm | None


class NeedsUnmet(Part):
    """No arm meets every need."""

    kind: Literal["needs_unmet"] = "needs_unmet"


class NothingAnswered(Part):
    """No arm reaches ``least``; ``needs_failed`` says that others are out by a need."""

    kind: Literal["nothing_answered"] = "nothing_answered"
    metric: str
    least: float
    needs_failed: bool


class ConstantWins(Part):
    """No arm is above the best constant ``answer``, whose mean is ``mean``."""

    kind: Literal["constant_wins"] = "constant_wins"
    metric: str
    answer: str
    mean: float
    needs_failed: bool


class Undecided(Part):
    """Nothing can be said yet.

    ``few``: there are fewer than ``least`` questions; else the ``leading`` arm is not significantly
    better than ``other``: another arm, or with None the best constant answer. ``more_questions``
    is about how many it takes, None where the two are equal. ``smallest`` is the smallest
    difference between them that these questions show, None where they show none.
    """

    kind: Literal["undecided"] = "undecided"
    metric: str
    questions: int
    least: int
    few: bool
    leading: Arm
    mean: float
    other: Arm | None
    more_questions: int | None
    smallest: float | None


class StudyAtFault(Part):
    """Faults of the study forbid a verdict; the ``leading`` arm is the best one measured."""

    kind: Literal["study_at_fault"] = "study_at_fault"
    metric: str
    leading: Arm
    mean: float
    faults: list[AnyFault]


Because = Annotated[
    Chosen | NeedsUnmet | NothingAnswered | ConstantWins | Undecided | StudyAtFault,
    Field(discriminator="kind"),
]


class Choice(Part):
    """The arm that fits, why, and why each other does not; ``arm`` is None where none does."""

    arm: Arm | None
    because: Because
    out: dict[Arm, Reason]


class NeedChange(Part):
    """A need with another value, and the arm that it leads to; None where none fits then.

    A limit's value is what the recommended arm measures: just out of its reach. None: no such need.
    """

    kind: Literal["need"] = "need"
    need: Literal[
        "cite_sources", "documents_change", "p95_latency_ms", "min_quality", "budget_per_month"
    ]
    value: bool | float | Often | None
    arm: Arm | None


class VolumeChange(Part):
    """So many queries a month or more, or fewer, where a number is given now."""

    kind: Literal["volume"] = "volume"
    queries_per_month: int
    side: Literal["more", "fewer"]
    arm: Arm | None


class MachineTimeChange(Part):
    """Cost by machine time, where it is by tokens now; from 0 queries a month: at few."""

    kind: Literal["machine_time"] = "machine_time"
    from_queries_per_month: int
    arm: Arm | None


class IdleChange(Part):
    """Models that are paid for only while they answer, where a machine is kept for them now."""

    kind: Literal["idle"] = "idle"
    arm: Arm | None


class MoreQuestions(Part):
    """About so many more questions, with answers like these."""

    kind: Literal["more_questions"] = "more_questions"
    more: int
    arm: Arm | None


Change = Annotated[
    NeedChange | VolumeChange | MachineTimeChange | IdleChange | MoreQuestions,
    Field(discriminator="kind"),
]


class OtherMetric(Part):
    """The arm that the rule names where another metric decides; None where it names none."""

    metric: str
    arm: Arm | None


class Recommendation(Choice):
    """The choice, the metric that decided, the criteria, and what would change it.

    ``other_metrics`` is the rule asked again under each other metric. ``smallest_difference`` is
    the smallest one between two arms that this many questions show.
    """

    metric: str
    smallest_difference: float | None
    other_metrics: list[OtherMetric]
    criteria: list[CriterionMeasured]
    sensitivity: list[Change]

    @property
    def turns(self) -> OtherMetric | None:
        """The first other metric under which another arm is named; None where it survives all."""
        return next((o for o in self.other_metrics if o.arm and o.arm != self.arm), None)

    @property
    def survives(self) -> bool:
        """Whether an arm is named, and no other metric names another one."""
        return self.arm is not None and self.turns is None
