"""How far the judges agree with a person's marks of the same answers.

Kappa is Cohen's ("A coefficient of agreement for nominal scales", 1960): (p - c) / (1 - c), with p
the share of equal verdicts and c that expected by chance, from how often each says right. Its
interval takes c as given, as Cohen's own standard error does, which errs on the wide side (Fleiss,
Cohen and Everitt, 1969); for p it is Wilson's (1927), so that it has a width where all verdicts
are equal. Simulated with 20 and 50 marks it held the true kappa in 92 to 97 of 100 studies.
"""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, ValidationError

from ragtune.core.errors import RunError
from ragtune.core.files import read_jsonl, write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Arm
from ragtune.results.parts import Agreement, Kappa, Mean
from ragtune.results.rows import Answered
from ragtune.results.schema import Failures
from ragtune.results.scores import Scores
from ragtune.results.statistics import estimate, rounded

HALF = 0.5
"""From here on a metric calls an answer right."""
RIGHT = "right"
"""The judge of the report, beside the metrics' names."""


class Mark(BaseModel):
    """A line of ``labels.jsonl``: what a person says of an answer; None: skipped.

    An answer that was made again with another text is another answer.
    """

    question: str
    arm: str
    answer: str
    right: bool | None

    @property
    def key(self) -> tuple[str, str, str]:
        """What the mark is of."""
        return self.question, self.arm, self.answer


def marks(folder: RunFolder) -> list[Mark]:
    """The marks of a run, in the order in which they were given; none where there is no file.

    Raises RunError where the file is broken.
    """
    if not folder.labels.exists():
        return []
    try:
        return [Mark.model_validate(row) for row in read_jsonl(folder.labels)]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RunError(
            f"{folder.labels}: {where}: {first['msg']}; mend or delete it, and label again"
        ) from None


def keep(folder: RunFolder, given: Iterable[Mark]) -> None:
    """Write all marks, in one step."""
    write_jsonl(folder.labels, (mark.model_dump() for mark in given))


def agreement(
    given: Sequence[Mark],
    answers: Mapping[Arm, Sequence[Answered]],
    failures: Failures,
    scores: Mapping[Arm, Scores],
    scored: Sequence[int],
) -> Agreement | None:
    """Each judge against the person, over the marked answers that are still there.

    ``scored`` are the places of the questions that ``scores`` are of: metrics say nothing of
    others. None where nothing is marked.
    """
    place = {row.question: n for n, row in enumerate(failures.questions)}
    there = [
        (mark, arm, place[mark.question])
        for mark in given
        for arm in answers
        if mark.arm == arm
        and mark.question in place
        and answers[arm][place[mark.question]].text == mark.answer
    ]
    marked = [(mark.right, arm, n) for mark, arm, n in there if mark.right is not None]
    if not marked:
        return None
    pairs = [(said, failures.questions[n].right[arm]) for said, arm, n in marked]
    by = {RIGHT: kappa(pairs)}
    rank = {n: k for k, n in enumerate(scored)}
    for metric in next(iter(scores.values())):
        pairs = [
            (said, scores[arm][metric][rank[n]] >= HALF) for said, arm, n in marked if n in rank
        ]
        if metric != RIGHT and pairs:
            by[metric] = kappa(pairs)
    return Agreement(
        marked=len(marked),
        right=sum(said for said, _, _ in marked),
        skipped=len(there) - len(marked),
        by=by,
    )


def kappa(pairs: Sequence[tuple[bool, bool]]) -> Kappa:
    """Share of equal verdicts and Cohen's kappa, of pairs of a person's verdict and a judge's."""
    count = len(pairs)
    share = estimate([float(person == judge) for person, judge in pairs], seed=0)
    person = sum(p for p, _ in pairs) / count
    judge = sum(j for _, j in pairs) / count
    chance = person * judge + (1 - person) * (1 - judge)
    if chance == 1:
        return Kappa(answers=count, share=share, kappa=None)
    mean, low, high = ((p - chance) / (1 - chance) for p in (share.mean, *share.ci95))
    found: Mean = rounded(mean, max(-1.0, low), min(1.0, high))
    return Kappa(answers=count, share=share, kappa=found)
