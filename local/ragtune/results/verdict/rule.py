"""The rule that names an arm, and the evidence for it.

1. A dead arm is out: under the floor, or not above the best constant answer (`liveness`).
2. What fails a need is out (`needs`).
3. Of the rest, what is significantly worse than any other of them is out: the deciding metric,
   paired by question, with Holm's correction (`statistics.compare`). Where base is out by that,
   an arm that is not itself significantly better than base gives way to one that is.
4. Of the rest the one with the fewest parts is named (`parts`); with as many parts, the one that
   costs less a month where the number of queries is known; else the first in the order of parts.

It names none, and says why, where

- there are fewer than `faults.QUESTIONS` questions: undecided;
- the arm is not significantly better than the best constant answer, or base is out and the arm is
  not significantly better than base: undecided, with about how many more questions it takes;
- it would be an arm without any part, while a fault of the study forbids a verdict against
  another, and there is room for that one to be better: the study is at fault;
- no arm is left: no need is met, or all are dead. "The model is too weak" is said only where no
  fault holds.

A fault that forbids a verdict against an arm does not keep that arm from being named: it explains a
low score, not a high one.
"""

from collections.abc import Mapping, Sequence

from ragtune.recipe.arms import Arm, is_tuned, reads_documents, searches_records
from ragtune.recipe.schema import Needs
from ragtune.results.faults import FEWEST, QUESTIONS, AnyFault
from ragtune.results.verdict.evidence import Evidence
from ragtune.results.verdict.liveness import NOTHING, dead, proven
from ragtune.results.verdict.measured import Criterion
from ragtune.results.verdict.needs import NEAR, dear, fails, spending
from ragtune.results.verdict.parts import PARTS, count, simplest
from ragtune.results.verdict.reasons import (
    AtFault,
    Because,
    Choice,
    Chosen,
    ConstantWins,
    NeedsUnmet,
    NotBetter,
    NothingAnswered,
    Reason,
    StudyAtFault,
    Tie,
    Undecided,
    Worse,
)

NEARLY_ALL = 0.95
"""From this mean on there is no room for another arm to be better by much."""


def recommend(needs: Needs, evidence: Evidence) -> Choice:
    """Name the arm that fits, why, and why each other one is not it."""
    out: dict[Arm, Reason] = {}
    for arm in evidence.arms:
        if reason := dead(evidence, arm) or fails(needs, evidence, arm):
            out[arm] = reason
    left = [arm for arm in evidence.arms if arm not in out]
    if not left:
        return Choice(
            arm=None, because=_none_left(needs, evidence, out), out=_excused(evidence, out)
        )
    others = sorted(left, key=lambda arm: -evidence.quality(arm))
    worse = {arm: reason for arm in left if (reason := _worse(evidence, arm, others))}
    fit = [arm for arm in left if arm not in worse]
    over_base = _over_base(evidence, fit, worse)
    pick = simplest(needs, evidence, over_base)
    rest = {
        arm: _not_better(needs, evidence, arm, pick, known=arm in over_base)
        for arm in fit
        if arm != pick
    }
    out = _excused(evidence, {**out, **worse, **rest})
    if against := _against(evidence, pick, worse, out):
        return Choice(arm=None, because=against, out=out)
    best = others[0]
    because = Chosen(
        metric=evidence.metric,
        mean=evidence.quality(pick),
        spending=spending(needs, pick, evidence.arms[pick]),
        not_different_from=None if pick == best else best,
    )
    return Choice(arm=pick, because=because, out=out)


def _none_left(needs: Needs, evidence: Evidence, out: Mapping[Arm, Reason]) -> Because:
    """Why no arm is left: by a need, or because none of those that meet the needs answers."""
    unmet = [arm for arm in evidence.arms if fails(needs, evidence, arm)]
    if len(unmet) == len(evidence.arms):
        return NeedsUnmet()
    best = max(evidence.arms, key=evidence.quality)
    if faults := _faults(evidence, evidence.arms):
        return _at_fault(evidence, best, faults)
    if evidence.questions < QUESTIONS:
        return _undecided(evidence, best, None)
    constant = evidence.constant
    failed = bool(unmet)
    top = max(evidence.quality(arm) for arm in evidence.arms if arm not in unmet)
    if constant is not None and top >= NOTHING:
        return ConstantWins(
            metric=evidence.metric,
            answer=constant.answer,
            mean=constant.mean,
            needs_failed=failed,
        )
    return NothingAnswered(metric=evidence.metric, least=NOTHING, needs_failed=failed)


def _against(
    evidence: Evidence, pick: Arm, worse: Mapping[Arm, Reason], out: Mapping[Arm, Reason]
) -> Because | None:
    """Why the arm is not named although it is the best choice; None where it may be."""
    anywhere = _faults(evidence, evidence.arms)
    few = evidence.questions < QUESTIONS and not _plainly_best(evidence, pick)
    if few or not proven(evidence, pick):
        if anywhere:
            return _at_fault(evidence, pick, anywhere)
        return _undecided(evidence, pick, _rival(evidence, pick) if few else None)
    if "base" in worse and not evidence.beats(pick, "base"):
        return _undecided(evidence, pick, "base")
    unheard = [arm for arm, why in out.items() if why.kind in ("at_fault", "not_better")]
    faults = _faults(evidence, unheard)
    if faults and not count(pick) and evidence.quality(pick) < NEARLY_ALL:
        return _at_fault(evidence, pick, faults)
    return None


def _plainly_best(evidence: Evidence, pick: Arm) -> bool:
    """Whether even few questions tell that an arm is better than all that have not all its parts.

    Those that have more on top need not be worse: fewer parts are reason enough.
    """
    others = [arm for arm in evidence.arms if arm != pick and not PARTS[pick] <= PARTS[arm]]
    known = evidence.questions >= FEWEST and count(pick) > 0 and bool(others)
    return known and all(evidence.beats(pick, other) for other in others)


def _undecided(evidence: Evidence, leading: Arm, other: Arm | None) -> Undecided:
    """How many more questions it takes, for a difference to ``other`` and for any verdict at all.

    ``other`` is None for the constant answer.
    """
    pair = evidence.against_constant(leading)
    if other is not None:
        pair = evidence.between(leading, other)
    lacking = max(0, QUESTIONS - evidence.questions)
    more = pair.more_questions if pair else None
    return Undecided(
        metric=evidence.metric,
        questions=evidence.questions,
        least=QUESTIONS,
        few=lacking > 0,
        leading=leading,
        mean=evidence.quality(leading),
        other=other,
        more_questions=max(lacking, more or 0) or None,
        smallest=pair.smallest if pair else None,
    )


def _rival(evidence: Evidence, pick: Arm) -> Arm | None:
    """What the arm is to be compared with: the best other one; None where it is alone."""
    others = [arm for arm in evidence.arms if evidence.between(pick, arm)]
    return max(others, key=evidence.quality, default=None)


def _at_fault(evidence: Evidence, leading: Arm, faults: Sequence[AnyFault]) -> StudyAtFault:
    few = [f for f in evidence.faults if f.kind == "few_questions"]
    return StudyAtFault(
        metric=evidence.metric,
        leading=leading,
        mean=evidence.quality(leading),
        faults=[*few, *faults],
    )


def _faults(evidence: Evidence, arms: Sequence[Arm] | Mapping[Arm, object]) -> list[AnyFault]:
    """The faults that forbid a verdict against any of the arms, each once."""
    found = {id(fault): fault for arm in arms for fault in evidence.forbidding(arm)}
    return [fault for fault in evidence.faults if id(fault) in found]


def _excused(evidence: Evidence, out: Mapping[Arm, Reason]) -> dict[Arm, Reason]:
    """The reasons, with those that a fault forbids replaced by the fault."""
    found = dict(out)
    for arm, reason in out.items():
        if reason.kind in ("dead", "worse") and (faults := evidence.forbidding(arm)):
            found[arm] = AtFault(
                criterion=reason.criterion,
                metric=evidence.metric,
                mean=evidence.quality(arm),
                faults=faults,
            )
    return found


def _over_base(evidence: Evidence, fit: Sequence[Arm], worse: Mapping[Arm, Reason]) -> list[Arm]:
    """Those that are significantly better than base, where base is out as worse; else all."""
    better = [arm for arm in fit if evidence.beats(arm, "base")]
    return better if "base" in worse and better else list(fit)


def _worse(evidence: Evidence, arm: Arm, others: Sequence[Arm]) -> Worse | None:
    """Why ``arm`` is significantly worse than one of ``others``; None where it is not."""
    for other in others:
        pair = evidence.between(other, arm)
        if pair and pair.different and pair.mean > 0:
            return Worse(
                criterion=_lacks(arm, other),
                other=other,
                metric=evidence.metric,
                mean=pair.mean,
                ci95=pair.ci95,
            )
    return None


def _lacks(worse: Arm, better: Arm) -> Criterion:
    """The criterion behind a difference in quality: what one arm has and the other has not."""
    if reads_documents(better) and not reads_documents(worse):
        return "wide knowledge"
    if is_tuned(better) and not is_tuned(worse):
        return "narrow task"
    if searches_records(better) and not searches_records(worse):
        return "few labels"
    alone = reads_documents(worse) and not reads_documents(better)
    return "narrow task" if alone else "curated labels"


def _not_better(needs: Needs, evidence: Evidence, arm: Arm, pick: Arm, *, known: bool) -> NotBetter:
    """Why an arm that is good enough is not the one; ``known``: it is better than base."""
    pair = evidence.between(pick, arm)
    cost, least = (spending(needs, a, evidence.arms[a]) for a in (arm, pick))
    low, high = sorted((cost.amount, least.amount))
    close = high <= (1 + NEAR) * low
    tie: Tie = "order"
    criterion: Criterion = "low initial cost"
    if not known:
        tie, criterion = "base", _lacks(arm, pick)
    elif count(arm) != count(pick):
        tie = "parts"
    elif needs.queries_per_month is not None and not close:
        tie, criterion = "cost", dear(needs, arm, evidence.arms[arm])
    return NotBetter(
        criterion=criterion,
        other=pick,
        spending=cost,
        close=close,
        more_questions=pair.more_questions if pair else None,
        tie=tie,
    )
