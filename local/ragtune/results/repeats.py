"""The answers of an arm that was tuned more than once, each time with another seed."""

from collections.abc import Sequence

from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Arm, is_tuned
from ragtune.results import rows
from ragtune.results.rightness import is_right, labels
from ragtune.results.rows import Answered
from ragtune.results.scores import Scores
from ragtune.results.statistics import Values
from ragtune.sources.records import Record


def other_seeds(folder: RunFolder, arm: Arm, seeds: int) -> list[list[Answered]]:
    """The answers after each tuning but the first; none for an arm that is not tuned.

    Raises RunError where they are missing.
    """
    if not is_tuned(arm):
        return []
    return [rows.seed_answers(folder, seed, arm) for seed in range(2, seeds + 1)]


def every_seed(folder: RunFolder, arm: Arm, seeds: int) -> list[Sequence[Answered]]:
    """An arm's answers by every seed that it was tuned with, the run's own first.

    Raises RunError where they are missing.
    """
    return [rows.answers(folder, arm), *other_seeds(folder, arm, seeds)]


def together(scores: Sequence[Scores]) -> dict[str, Values]:
    """Scores by metric: one a question, or a row of them a seed where there are several."""
    if len(scores) == 1:
        return dict(scores[0])
    return {metric: [of[metric] for of in scores] for metric in scores[0]}


def right(
    questions: Sequence[Record], answers: Sequence[Sequence[Answered]], refusals: Sequence[str]
) -> list[list[float]]:
    """1 where an answer is right, else 0: a row a seed."""
    named = labels(questions, refusals)
    return [
        [float(is_right(q, a.text, refusals, named)) for q, a in zip(questions, given, strict=True)]
        for given in answers
    ]
