"""Faults of a study: what keeps its figures from saying what an arm can do.

Values only: `ragtune.results.diagnosis` finds them in a finished run, `ragtune.runs.foresight`
foresees some of them, `ragtune.results.wording` writes the sentences.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from ragtune.recipe.arms import Adapter, Arm
from ragtune.results.parts import Part

Severity = Literal["forbids", "weakens"]
"""``forbids``: nothing may be concluded against the arms; ``weakens``: less may be concluded."""

QUESTIONS = 30
"""Fewer judged questions than this give a verdict only where one arm is plainly the best."""
FEWEST = 20
"""Fewer judged questions than this give none."""
TIMED = 20
"""Of fewer questions asked alone, a 95th percentile is the slowest one."""
STEPS = 60
"""Fewer optimiser steps than about this teach little at the usual learning rates."""
RESIDUE = 0.03
"""The share of the training tokens that an epoch may leave out without a warning."""
MOVED = 0.01
"""The least share by which tuning has to change the held-out loss of base."""
SAME = 0.95
"""The share of answers equal to those of the arm without tuning from which nothing was learnt."""
LEARNT = 0.5
"""The share of its own training questions that an adapter has to answer to count as trained."""
CUT = 0.1
"""The share of answers that fail, or of them or of references at the limit, that is a fault."""


class Fault(Part):
    """What is wrong, how bad it is, and the arms that it concerns."""

    severity: Severity
    arms: tuple[Arm, ...]


class FewQuestions(Fault):
    """Fewer judged questions than ``least``."""

    kind: Literal["few_questions"] = "few_questions"
    questions: int
    least: int = QUESTIONS


class AnswersCut(Fault):
    """Answers, by arm, that were cut at ``limit``, the recipe's ``study.max_new_tokens``.

    It forbids a verdict where references are over the limit too. Elsewhere the model did not stop
    after an answer that had room.
    """

    kind: Literal["answers_cut"] = "answers_cut"
    limit: int
    cut: dict[Arm, int]
    questions: int


class LongReferences(Fault):
    """References of more tokens than ``limit``: no answer can be as long."""

    kind: Literal["long_references"] = "long_references"
    limit: int
    longer: int
    questions: int
    longest: int


class FewSteps(Fault):
    """Fewer optimiser steps in all than ``least``."""

    kind: Literal["few_steps"] = "few_steps"
    steps: int
    least: int = STEPS


class ResidueDropped(Fault):
    """The share of the training tokens that no step of an epoch sees."""

    kind: Literal["residue_dropped"] = "residue_dropped"
    share: float


class NoValidation(Fault):
    """No validation sample, although the recipe asks for some: the last epoch is kept."""

    kind: Literal["no_validation"] = "no_validation"


class LossUnmoved(Fault):
    """Held-out losses of base and tuned, in nats a token, that are nearly the same."""

    kind: Literal["loss_unmoved"] = "loss_unmoved"
    base: float
    tuned: float


class NotLearnt(Fault):
    """An adapter that answers less than `LEARNT` of the questions that it was trained on."""

    kind: Literal["not_learnt"] = "not_learnt"
    adapter: Adapter
    right: int
    questions: int


class AnswersUnchanged(Fault):
    """A tuned arm that answers as ``other`` does, the same arm without tuning."""

    kind: Literal["answers_unchanged"] = "answers_unchanged"
    other: Arm
    same: int
    questions: int


class AnswersFailed(Fault):
    """Questions, by arm, that the model gave no answer to but an error; they count as wrong."""

    kind: Literal["answers_failed"] = "answers_failed"
    failed: dict[Arm, int]
    questions: int


class OtherAdapter(Fault):
    """A tuned arm that was asked of ``adapter``, which was tuned on another arm's prompts."""

    kind: Literal["other_adapter"] = "other_adapter"
    adapter: Adapter


class FewLatencies(Fault):
    """Latency percentiles of fewer questions than ``least``."""

    kind: Literal["few_latencies"] = "few_latencies"
    questions: int
    least: int = TIMED


class UnknownLanguage(Fault):
    """Documents or questions in languages, by their codes, that embedder or model do not know.

    ``keyword``: they are searched by their words alone, which needs no embedder.
    """

    kind: Literal["unknown_language"] = "unknown_language"
    reader: Literal["embedder", "model"]
    texts: Literal["documents", "questions"]
    languages: tuple[str, ...]
    keyword: bool = False


AnyFault = Annotated[
    FewQuestions
    | AnswersCut
    | LongReferences
    | FewSteps
    | ResidueDropped
    | NoValidation
    | LossUnmoved
    | NotLearnt
    | AnswersUnchanged
    | AnswersFailed
    | OtherAdapter
    | FewLatencies
    | UnknownLanguage,
    Field(discriminator="kind"),
]
FAULTS: TypeAdapter[AnyFault] = TypeAdapter(AnyFault)
"""Reads a fault from its JSON."""
