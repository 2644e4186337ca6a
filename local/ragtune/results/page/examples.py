"""Three questions that show what the verdict comes to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ragtune.recipe.arms import Arm
from ragtune.results.page.questions import ShownQuestion
from ragtune.results.schema import Results
from ragtune.results.summary import best
from ragtune.results.wording import named

RIVALS: dict[str, tuple[Arm, ...]] = {
    "base": ("rag", "tuned", "fewshot"),
    "fewshot": ("tuned", "base", "rag"),
    "tuned": ("rag", "base", "tuned+rag"),
    "rag-records": ("tuned", "rag", "base"),
    "rag": ("tuned", "base", "tuned+rag"),
    "tuned+rag": ("rag", "tuned", "base"),
}
"""For an arm, the others that it is shown against, the most telling first."""
LENGTH = 240
"""Characters that are shown of a text."""

Kind = tuple[str, Mapping[Arm, bool]]
"""A title, and which arms are right and wrong."""


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
    arm = results.recommendation.arm or best(results)
    rivals = [other for other in RIVALS.get(arm, ()) if other in right]
    one = _capital(named(arm))
    differing: list[Kind] = [
        (f"{one} is right, {named(other)} is wrong", {arm: True, other: False}) for other in rivals
    ]
    both: list[Kind] = [
        (f"{one} is right, {named(other)} as well", {arm: True, other: True}) for other in rivals
    ]
    wrong: list[Kind] = [(f"{one} is wrong", {arm: False})]
    wrong += [(f"{_capital(named(other))} is wrong", {other: False}) for other in reversed(rivals)]
    kinds: list[list[Kind]] = [[(f"{one} is right", {arm: True})], wrong]
    if rivals:
        kinds = [differing, both, wrong]
    common = Counter(question.reference for question in questions)
    left, found = list(questions), list[Example]()
    for kind in kinds:
        for title, wanted in kind:
            if those := [q for q in left if wanted.items() <= q.judged.right.items()]:
                shown = min(those, key=lambda q: (common[q.reference], _length(q)))
                left.remove(shown)
                count = sum(wanted.items() <= q.judged.right.items() for q in questions)
                found.append(Example(title, count, shown.shortened(LENGTH)))
                break
    return found


def _length(question: ShownQuestion) -> int:
    said = sum(len(answer.text) for answer in question.answers.values())
    return len(question.text) + len(question.input) + len(question.reference) + said


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
