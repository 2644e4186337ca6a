"""Why an answer failed: right or wrong in each arm, what flipped it, and what retrieval found.

A question may show several flips, for retrieval and tuning are each looked at twice: with the
other and without it. One that only ``tuned+rag`` answers counts as that alone. Examples and
retrieval over the training records are looked at beside base.
"""

from collections import Counter
from collections.abc import Collection, Container, Mapping, Sequence
from typing import get_args

from ragtune.recipe.arms import USUAL, Arm, reads_documents
from ragtune.results.rightness import is_right, is_unanswerable, labels
from ragtune.results.rows import AnswerRow
from ragtune.results.schema import Added, Cause, Failures, Flip, Question, Step
from ragtune.retrieval.passages import Passage, gold_rank
from ragtune.sources.records import Record

STEPS: Mapping[Added, tuple[tuple[Arm, Arm], ...]] = {
    "retrieval": (("base", "rag"), ("tuned", "tuned+rag")),
    "tuning": (("base", "tuned"), ("rag", "tuned+rag")),
    "examples": (("base", "fewshot"),),
    "records": (("base", "rag-records"),),
}
"""What is added, and the arms before and after it."""
NAMES: Mapping[Added, tuple[Flip, Flip]] = {
    "retrieval": ("retrieval_fixed", "retrieval_broke"),
    "tuning": ("tuning_fixed", "tuning_forgot"),
    "examples": ("examples_fixed", "examples_broke"),
    "records": ("records_fixed", "records_broke"),
}
"""What a step is called that makes an answer right, and wrong."""

FLIPS: tuple[Flip, ...] = get_args(Flip)


def possible(arms: Container[Arm]) -> list[Flip]:
    """The flips that a study of these arms can show."""
    stepped = [name for what, pairs in STEPS.items() if _there(pairs, arms) for name in NAMES[what]]
    both = ["only_both"] if all(arm in arms for arm in USUAL) else []
    return [flip for flip in FLIPS if flip in (*stepped, *both)]


def _there(pairs: Sequence[tuple[Arm, Arm]], arms: Container[Arm]) -> list[tuple[Arm, Arm]]:
    return [pair for pair in pairs if pair[0] in arms and pair[1] in arms]


def analyse(
    questions: Sequence[Record],
    answers: Mapping[Arm, Sequence[AnswerRow]],
    found: Sequence[Sequence[Passage]],
    refusals: Sequence[str],
    no_gold: Collection[str] = (),
) -> Failures:
    """Each question's verdicts, flips and causes, and how often each occurs.

    ``answers`` are those of each arm, in the order of the questions; ``found`` the passages of the
    retrieval stage, empty where there is none; ``refusals`` the study's own phrases; ``no_gold``
    the ids of questions whose gold does not exist.
    """
    named = labels(questions, refusals)
    rows = []
    for n, question in enumerate(questions):
        given = {arm: lines[n] for arm, lines in answers.items()}
        passages = found[n] if found else ()
        right = {arm: is_right(question, a.text, refusals, named) for arm, a in given.items()}
        has_gold = bool(question.gold) and question.id not in no_gold
        rows.append(_question(question, given, right, passages, refusals, has_gold=has_gold))
    flips = Counter(flip for row in rows for flip in row.flips)
    return Failures(
        right={arm: sum(row.right[arm] for row in rows) for arm in answers},
        flips={flip: flips[flip] for flip in possible(answers)},
        steps=_steps(rows, answers),
        causes={
            arm: dict(Counter(row.causes[arm] for row in rows if arm in row.causes))
            for arm in answers
            if reads_documents(arm)
        },
        questions=rows,
    )


def _question(
    question: Record,
    given: Mapping[Arm, AnswerRow],
    right: Mapping[Arm, bool],
    passages: Sequence[Passage],
    refusals: Sequence[str],
    *,
    has_gold: bool,
) -> Question:
    rank = gold_rank(question, passages) if has_gold else None
    causes = {
        arm: _cause(question, answer, rank, refusals, has_gold=has_gold)
        for arm, answer in given.items()
        if reads_documents(arm) and not right[arm]
    }
    return Question(
        question=question.id,
        gold_rank=rank,
        right=dict(right),
        flips=flips_of(right),
        causes=causes,
    )


def flips_of(right: Mapping[Arm, bool]) -> list[Flip]:
    """The flips that hold of a question, from which of its arms are right."""
    both = right.get("tuned+rag", False)
    if both and all(arm in right for arm in USUAL) and sum(right.values()) == 1:
        return ["only_both"]
    seen = set()
    for what, pairs in STEPS.items():
        fixed, broke = NAMES[what]
        for before, after in _there(pairs, right):
            if right[before] != right[after]:
                seen.add(fixed if right[after] else broke)
    return [flip for flip in FLIPS if flip in seen]


def _cause(
    question: Record,
    answer: AnswerRow,
    rank: int | None,
    refusals: Sequence[str],
    *,
    has_gold: bool,
) -> Cause:
    if is_unanswerable(question, refusals):
        return "not_refused"
    if not has_gold:
        return "no_gold"
    if rank is None:
        return "not_found"
    if answer.refused:
        return "refused"
    return "misread" if gold_rank(question, answer.sources) else "left_out"


def _steps(rows: Sequence[Question], arms: Container[Arm]) -> list[Step]:
    """For each pair of arms that differ in one thing: how many it made right, and wrong."""
    return [
        Step(
            adds=what,
            before=before,
            after=after,
            fixed=sum(r.right[after] > r.right[before] for r in rows),
            broke=sum(r.right[after] < r.right[before] for r in rows),
        )
        for what, pairs in STEPS.items()
        for before, after in _there(pairs, arms)
    ]
