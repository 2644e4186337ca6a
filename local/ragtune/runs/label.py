"""Marks of a person: which answers are shown, and what becomes of the keys."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Arm
from ragtune.results import rows
from ragtune.results.agreement import Mark, keep, marks
from ragtune.results.schema import Results
from ragtune.sources.records import Record

Key = Literal["y", "n", "s", "q"]
"""Right, wrong, skip, stop."""


@dataclass(frozen=True)
class Drawn:
    """An answer to be marked; ``arm`` is not shown."""

    question: Record
    arm: Arm
    answer: str

    def mark(self, right: bool | None) -> Mark:
        """The line that says so."""
        return Mark(question=self.question.id, arm=self.arm, answer=self.answer, right=right)


Ask = Callable[[Drawn, int, int], Key]
"""Shows an answer, with its number and of how many; gives the key."""


def draw(results: Results, folder: RunFolder, count: int) -> list[Drawn]:
    """Up to ``count`` answers, the same each time, in an order that says nothing of their arms.

    They are drawn by the recipe's seed, in turn from each arm's right and wrong answers, so half
    of them are right by the report where there are enough. The same answer to a question is shown
    once.

    Raises RunError where the answers are missing.
    """
    chance = random.Random(results.recipe.filled.seed)
    questions = rows.questions(folder)
    strata: list[list[Drawn]] = []
    for arm in results.arms:
        answers = rows.answers(folder, arm)
        for right in (True, False):
            stratum = [
                Drawn(questions[n], arm, answers[n].text)
                for n, row in enumerate(results.failures.questions)
                if row.right[arm] is right
            ]
            chance.shuffle(stratum)
            strata.append(stratum)
    seen: set[tuple[str, str]] = set()
    found: list[Drawn] = []
    while any(strata) and len(found) < count:
        for stratum in strata:
            while stratum and len(found) < count:
                drawn = stratum.pop()
                if (text := (drawn.question.id, drawn.answer)) not in seen:
                    seen.add(text)
                    found.append(drawn)
                    break
    chance.shuffle(found)
    return found


def label(folder: RunFolder, drawn: Sequence[Drawn], ask: Ask) -> list[Mark]:
    """Ask for a mark of each that has none; each is on the disk before the next is asked for.

    Raises RunError where the marks of before cannot be read.
    """
    given = marks(folder)
    known = {mark.key for mark in given}
    for number, one in enumerate(drawn, 1):
        if one.mark(None).key in known:
            continue
        key = ask(one, number, len(drawn))
        if key == "q":
            break
        given.append(one.mark({"y": True, "n": False}.get(key)))
        keep(folder, given)
    return given
