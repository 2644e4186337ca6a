"""What the parts of the results have in common, and the means and comparisons in them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ragtune.recipe.arms import Arm

Bounds = tuple[float, float]


class Part(BaseModel):
    """A part of the results; fields that are not named here are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return self.model_dump(mode="json", by_alias=True)


class Mean(Part):
    """A mean over questions, and its 95 % interval; both rounded to six places."""

    mean: float
    ci95: Bounds


class Paired(Mean):
    """The mean of ``left - right``, paired by question, and whether it differs from zero.

    ``p`` is for this pair alone, ``p_holm`` corrected for all pairs that were compared.
    ``more_questions`` is about how many further ones would show a difference, were the true one
    the one measured; None where the two are significantly different already, or the means equal.
    ``smallest`` is the smallest difference that this many questions show four times in five; None
    where they are too few to show any.
    """

    left: str
    right: str
    p: float
    p_holm: float
    different: bool
    more_questions: int | None
    smallest: float | None = None


class Baseline(Part):
    """The constant answer that scores best on the held-out questions, by one metric.

    ``against`` compares each arm with it, question by question; `p_holm` is corrected for the
    number of arms. Empty where the metric has no score of a single question.
    """

    answer: str
    mean: float
    against: dict[Arm, Paired]


class Covered(Part):
    """The deciding metric over a side of the questions; ``difference`` is tuned less rag."""

    questions: int
    arms: dict[Arm, Mean]
    difference: Paired | None


class Coverage(Part):
    """Questions inside and outside of what the training records are about.

    ``by`` is how that was seen: the same gold document, the same group, or a training question
    with most of the same words. A side is None where it has too few questions to measure.
    """

    by: Literal["document", "group", "question"]
    inside: Covered | None
    outside: Covered | None


class Kappa(Part):
    """How far a judge agrees with a person over the same answers.

    ``share`` of equal verdicts; ``kappa`` is Cohen's, None where both always say the same one. A
    metric is held against the marks of those ``answers`` that it scores.
    """

    answers: int
    share: Mean
    kappa: Mean | None


class Agreement(Part):
    """Verdicts held against a person's marks: ``right`` of the report, and metrics from a half.

    ``marked`` answers, of which the person found ``right`` right; ``skipped`` are not counted.
    """

    marked: int
    right: int
    skipped: int
    by: dict[str, Kappa]


WhyDeciding = Literal["recipe", "labels", "short references", "long references", "no embedder"]


class Deciding(Part):
    """The metric that verdict, promotion, sweep and learning curve go by.

    ``why``: the recipe names it; the references are labels, short, or long; or they are long and
    there is no embedder. ``words`` is the median of a reference's words. ``shown`` is the figure
    that people know for such references, where it is another: macro-F1 for labels, which has no
    score of a single answer to compare arms by.
    """

    metric: str
    why: WhyDeciding
    words: float
    shown: str
