"""Three questions that show what the verdict comes to."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ragtune.recipe.schema import Arm
from ragtune.results.page.questions import ShownQuestion
from ragtune.results.schema import Results
from ragtune.results.summary import named

RIVALS: dict[str, tuple[Arm, ...]] = {
    "base": ("rag", "tuned"),
    "tuned": ("rag", "base"),
    "rag": ("tuned", "base"),
    "tuned+rag": ("rag", "tuned"),
}
"""For an arm, the others that it is shown against; the first that there is."""
LENGTH = 240
"""Characters that are shown of a text."""


@dataclass(frozen=True)
class Example:
    """A question, of which kind it is, and how many there are of that kind."""

    title: str
    count: int
    question: ShownQuestion


def examples(results: Results, questions: Sequence[ShownQuestion]) -> list[Example]:
    """One that shows the difference, one that both have right, one that is wrong: where there are.

    Of a kind the one is taken whose reference is the rarest, and of those the shortest, so the
    choice does not depend on anybody's taste.
    """
    right = results.failures.right
    arm = results.recommendation.arm or max(right, key=lambda name: right[name])
    rival = next((other for other in RIVALS.get(arm, ()) if other in right), None)
    one, other = _capital(named(arm)), named(rival or arm)
    kinds: list[tuple[str, Callable[[Mapping[Arm, bool]], bool]]] = []
    if rival:
        kinds = [
            (f"{one} is right, {other} is wrong", lambda of: of[arm] and not of[rival]),
            (f"{one} and {other} are right", lambda of: of[arm] and of[rival]),
        ]
    else:
        kinds = [(f"{one} is right", lambda of: of[arm])]
    kinds.append((f"{one} is wrong", lambda of: not of[arm]))
    common = Counter(question.reference for question in questions)
    found = []
    for title, fits in kinds:
        those = [question for question in questions if fits(question.judged.right)]
        if those:
            best = min(those, key=lambda q: (common[q.reference], _length(q)))
            found.append(Example(title, len(those), best.shortened(LENGTH)))
    return found


def _length(question: ShownQuestion) -> int:
    said = sum(len(answer.text) for answer in question.answers.values())
    return len(question.text) + len(question.input) + len(question.reference) + said


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
