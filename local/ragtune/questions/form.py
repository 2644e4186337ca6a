"""What the specialist reads: a passage and a fact in it; its training writes the same words."""

from collections.abc import Sequence

FACT = "Sentence: {before}[{answer}]{after}\nAnswer: {answer}\n"
NAMES = "Names: {}\n"
PLAIN = "Write a question."
NEED = "Write a question of somebody who needs the answer."
DISTANT = "Write a question in words that the sentence does not have."
OTHER = "Write the question in other words."
OTHER_NEED = "Write the question in other words, of somebody who needs the answer."
CHECK = "Question: {}\nDoes the answer answer the question?"
YES, NO = "yes", "no"


def instruction(
    sentence: str, start: int, end: int, *, names: Sequence[str] = (), wish: str = PLAIN
) -> str:
    """Ask for a question whose answer is ``sentence[start:end]``.

    ``names``: words of the passage that the question has to have; ``wish``: how it is asked.
    """
    named = NAMES.format(", ".join(names)) if names else ""
    return f"{_fact(sentence, start, end)}{named}{wish}"


def check(sentence: str, start: int, end: int, question: str) -> str:
    """Ask whether ``sentence[start:end]`` answers a question; the answer is ``YES`` or ``NO``."""
    return _fact(sentence, start, end) + CHECK.format(question)


def _fact(sentence: str, start: int, end: int) -> str:
    answer = sentence[start:end]
    return FACT.format(before=sentence[:start], answer=answer, after=sentence[end:])
