"""Faults of a study, found in what its stages left."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from ragtune.core.text import normalised
from ragtune.recipe.arms import Adapter, Arm
from ragtune.recipe.schema import Study
from ragtune.results.faults import (
    CUT,
    FEWEST,
    LEARNT,
    MOVED,
    QUESTIONS,
    RESIDUE,
    SAME,
    STEPS,
    TIMED,
    AnswersCut,
    AnswersFailed,
    AnswersUnchanged,
    AnyFault,
    FewLatencies,
    FewQuestions,
    FewSteps,
    LongReferences,
    LossUnmoved,
    NotLearnt,
    NoValidation,
    ResidueDropped,
    Severity,
)
from ragtune.results.rows import AnswerRow
from ragtune.results.schema import HeldoutLoss, Recall, Training
from ragtune.results.verdict.promotion import WITHOUT
from ragtune.tuning.samples import Census


@dataclass(frozen=True)
class Tuned:
    """What is known of an adapter: the arms that have it, and what its stages measured.

    ``validates``: whether validation samples were asked for. ``recall`` is None where it was not
    asked for its training questions, or where rightness does not decide.
    """

    arms: tuple[Arm, ...]
    training: Training | None = None
    heldout: HeldoutLoss | None = None
    recall: Recall | None = None
    validates: bool = True

    @property
    def learnt(self) -> bool:
        """Whether it is shown to be trained: it answers what it was trained on."""
        known = self.recall
        if known is None or known.right < LEARNT * known.questions:
            return False
        return self.heldout is None or moved(self.heldout)


def faults(
    study: Study,
    answers: Mapping[Arm, Sequence[AnswerRow]],
    *,
    judged: int,
    timed: int,
    adapters: Mapping[Adapter, Tuned],
) -> list[AnyFault]:
    """Every fault that is seen, those of all arms first.

    ``judged`` and ``timed`` count questions. Lengths are looked at where answers came with them.
    """
    arms = tuple(answers)
    lengths = [row.reference_tokens for row in next(iter(answers.values()))]
    found: list[AnyFault] = [
        *few_questions(judged, arms),
        *long_references([n for n in lengths if n is not None], study.max_new_tokens, arms),
        *_cut(answers, [n or 0 for n in lengths], study.max_new_tokens),
        *_failed(answers),
        *few_latencies(timed, arms),
    ]
    for adapter, tuned in adapters.items():
        found += _of(adapter, tuned)
    return [*found, *_unchanged(answers)]


def _of(adapter: Adapter, tuned: Tuned) -> Iterator[AnyFault]:
    """The faults of an adapter; few steps are none where it has learnt its rows all the same."""
    if (training := tuned.training) is not None:
        if not tuned.learnt:
            yield from few_steps(len(training.steps), tuned.arms)
        if noted := (training.model_extra or {}).get("census"):
            yield from census_faults(Census(**noted), tuned.arms, validates=tuned.validates)
    if tuned.heldout is not None:
        yield from _unmoved(tuned.heldout, tuned.arms)
    if tuned.recall is not None:
        yield from not_learnt(adapter, tuned.recall, tuned.arms)


def few_questions(count: int, arms: Sequence[Arm]) -> Iterator[AnyFault]:
    """Too few judged questions for a verdict."""
    if count < QUESTIONS:
        severity: Severity = "forbids" if count < FEWEST else "weakens"
        yield FewQuestions(severity=severity, arms=tuple(arms), questions=count)


def long_references(lengths: Sequence[int], limit: int, arms: Sequence[Arm]) -> Iterator[AnyFault]:
    """References, by their tokens with the end token, that an answer has no room for."""
    longer = sum(length > limit for length in lengths)
    if longer:
        yield LongReferences(
            severity="forbids" if longer >= CUT * len(lengths) else "weakens",
            arms=tuple(arms),
            limit=limit,
            longer=longer,
            questions=len(lengths),
            longest=max(lengths),
        )


def few_latencies(timed: int, arms: Sequence[Arm]) -> Iterator[AnyFault]:
    """Too few questions asked alone for a 95th percentile."""
    if timed < TIMED:
        yield FewLatencies(severity="weakens", arms=tuple(arms), questions=timed)


def few_steps(steps: int, tuned: Sequence[Arm]) -> Iterator[AnyFault]:
    """Too few optimiser steps to have learnt much."""
    if tuned and steps < STEPS:
        yield FewSteps(severity="forbids", arms=tuple(tuned), steps=steps)


def census_faults(
    census: Census, tuned: Sequence[Arm], *, validates: bool = True
) -> Iterator[AnyFault]:
    """What is wrong with the samples that were trained on.

    ``validates``: whether validation samples were asked for; without them none are missing.
    """
    if not tuned:
        return
    kept = (1 - census.residue / max(census.tokens, 1)) * (
        1 - census.samples_dropped_an_epoch / census.train_samples
    )
    if 1 - kept > RESIDUE:
        yield ResidueDropped(severity="weakens", arms=tuple(tuned), share=round(1 - kept, 6))
    if validates and not census.validation_samples:
        yield NoValidation(severity="weakens", arms=tuple(tuned))


def _cut(
    answers: Mapping[Arm, Sequence[AnswerRow]], lengths: Sequence[int], limit: int
) -> Iterator[AnyFault]:
    """Answers of the limit's length; where references are as long, that is no choice of theirs."""
    cut = {arm: sum(r.completion_tokens >= limit for r in rows) for arm, rows in answers.items()}
    many = tuple(arm for arm, count in cut.items() if count >= CUT * len(lengths))
    if many:
        long = sum(length > limit for length in lengths) >= CUT * len(lengths)
        yield AnswersCut(
            severity="forbids" if long else "weakens",
            arms=many,
            limit=limit,
            cut=cut,
            questions=len(lengths),
        )


def _failed(answers: Mapping[Arm, Sequence[AnswerRow]]) -> Iterator[AnyFault]:
    """Questions without an answer: the arms with many, then those with a few."""
    failed = {arm: sum(row.failed is not None for row in rows) for arm, rows in answers.items()}
    asked = len(next(iter(answers.values())))
    many = tuple(arm for arm, count in failed.items() if count >= CUT * asked)
    few = tuple(arm for arm, count in failed.items() if 0 < count < CUT * asked)
    severities: tuple[tuple[Severity, tuple[Arm, ...]], ...] = (("forbids", many), ("weakens", few))
    for severity, arms in severities:
        if arms:
            counts = {arm: failed[arm] for arm in arms}
            yield AnswersFailed(severity=severity, arms=arms, failed=counts, questions=asked)


def moved(loss: HeldoutLoss) -> bool:
    """Whether tuning changed the held-out loss, to the better or to the worse."""
    return abs(loss.tuned - loss.base) >= MOVED * loss.base


def _unmoved(loss: HeldoutLoss, tuned: Sequence[Arm]) -> Iterator[AnyFault]:
    if tuned and not moved(loss):
        yield LossUnmoved(severity="forbids", arms=tuple(tuned), base=loss.base, tuned=loss.tuned)


def not_learnt(adapter: Adapter, recall: Recall, tuned: Sequence[Arm]) -> Iterator[AnyFault]:
    """An adapter that does not answer what it was trained on."""
    if recall.right < LEARNT * recall.questions:
        yield NotLearnt(
            severity="forbids",
            arms=tuple(tuned),
            adapter=adapter,
            right=recall.right,
            questions=recall.questions,
        )


def _unchanged(answers: Mapping[Arm, Sequence[AnswerRow]]) -> Iterator[AnyFault]:
    """Tuned arms whose answers are those of the arm without tuning, but for spelling."""
    for arm, other in WITHOUT.items():
        if arm not in answers or other not in answers:
            continue
        pairs = list(zip(answers[arm], answers[other], strict=True))
        differing = (1 for one, two in pairs if not _alike(one.text, two.text))
        # Most arms differ in most answers, which the first of them show.
        same = len(pairs) - sum(islice(differing, math.floor((1 - SAME) * len(pairs) + 1e-9) + 1))
        if same >= SAME * len(pairs):
            yield AnswersUnchanged(
                severity="forbids", arms=(arm,), other=other, same=same, questions=len(pairs)
            )


def _alike(one: str, other: str) -> bool:
    return one == other or normalised(one) == normalised(other)
