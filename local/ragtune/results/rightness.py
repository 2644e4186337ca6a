"""What is right in a study: which questions have an answer, which labels there are."""

from collections.abc import Sequence

from ragtune.core.text.refusal_filter import may_refuse
from ragtune.results.metrics import polarity
from ragtune.results.metrics.base import Case
from ragtune.results.metrics.labels import label_set
from ragtune.results.metrics.right import is_unanswerable as says_none
from ragtune.results.metrics.single import is_right as right
from ragtune.sources.records import Record


def is_unanswerable(question: Record, refusals: Sequence[str]) -> bool:
    """Whether every reference says that there is no answer; ``refusals`` are the study's own."""
    return all(says_none(reference, refusals) for reference in question.references)


def unanswerable(questions: Sequence[Record], refusals: Sequence[str]) -> list[bool]:
    """`is_unanswerable` of each question; of very many, most of which have an answer, at once."""
    may = may_refuse([question.response for question in questions], refusals)
    return [
        (possible or not question.response.strip()) and is_unanswerable(question, refusals)
        for question, possible in zip(questions, may, strict=True)
    ]


def labels(questions: Sequence[Record], refusals: Sequence[str]) -> tuple[str, ...]:
    """All labels, where the answers are labels: see `label_set`.

    None where they are yes and no, which are read off an answer's first word instead.
    """
    found = label_set(
        [
            q.response
            for q, none in zip(questions, unanswerable(questions, refusals), strict=True)
            if not none
        ]
    )
    return () if all(polarity.asked(label) for label in found) else tuple(found)


def case(
    question: Record,
    text: str,
    refusals: Sequence[str],
    *,
    passages: Sequence[str] = (),
    labels: Sequence[str] = (),
) -> Case:
    """An answer, as metrics score it."""
    of = question.references
    return Case(question, text, of, tuple(passages), tuple(refusals), tuple(labels))


def is_right(
    question: Record, text: str, refusals: Sequence[str], labels: Sequence[str] = ()
) -> bool:
    """Whether an answer is right, by the rules in `ragtune.results.metrics.right`."""
    return right(case(question, text, refusals, labels=labels))
