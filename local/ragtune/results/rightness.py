"""What is right in a study: which questions have an answer, which labels there are."""

from collections.abc import Sequence

from ragtune.results.metrics import polarity
from ragtune.results.metrics.base import Case
from ragtune.results.metrics.labels import label_set
from ragtune.results.metrics.right import is_unanswerable as says_none
from ragtune.results.metrics.single import is_right as right
from ragtune.sources.records import Record


def is_unanswerable(question: Record, refusals: Sequence[str]) -> bool:
    """Whether every reference says that there is no answer; ``refusals`` are the study's own."""
    return all(says_none(reference, refusals) for reference in question.references)


def labels(questions: Sequence[Record], refusals: Sequence[str]) -> tuple[str, ...]:
    """All labels, where the answers are labels: see `label_set`.

    None where they are yes and no, which are read off an answer's first word instead.
    """
    found = label_set([q.response for q in questions if not is_unanswerable(q, refusals)])
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
