"""What the specialist reads: a passage and a fact in it; its training writes the same words."""

from collections.abc import Sequence

INSTRUCTION = "Sentence: {before}[{answer}]{after}\nAnswer: {answer}\n{names}{wish}"
NAMES = "Names: {}\n"
PLAIN = "Write a question."
NEED = "Write a question of somebody who needs the answer."
OTHER = "Write the question in other words."
OTHER_NEED = "Write the question in other words, of somebody who needs the answer."


def instruction(
    sentence: str, start: int, end: int, *, names: Sequence[str] = (), need: bool = False
) -> str:
    """Ask for a question whose answer is ``sentence[start:end]``.

    ``names``: words of the passage that the question has to have; ``need``: as somebody would ask
    who is in that situation, in the first person.
    """
    return INSTRUCTION.format(
        before=sentence[:start],
        answer=sentence[start:end],
        after=sentence[end:],
        names=NAMES.format(", ".join(names)) if names else "",
        wish=NEED if need else PLAIN,
    )
