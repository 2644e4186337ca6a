"""The metrics of single answers, as the registry holds them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ragtune.results.metrics import answers
from ragtune.results.metrics.base import Case
from ragtune.results.metrics.right import right


@dataclass(frozen=True)
class ByWords:
    """A metric by a function of `ragtune.results.metrics.answers`; the best reference counts."""

    name: str
    title: str
    of: Callable[..., float]
    needs: frozenset[str] = frozenset()

    def scores(self, cases: Sequence[Case]) -> list[float]:
        """A number from 0 to 1 for each case."""
        return [self.of(c.answer, c.references, refusals=c.refusals) for c in cases]


@dataclass(frozen=True)
class Right:
    """1 where `right` judges an answer to be right, else 0."""

    name: str = "right"
    title: str = "right"
    needs: frozenset[str] = frozenset()

    def scores(self, cases: Sequence[Case]) -> list[float]:
        """0 or 1 for each case."""
        return [float(is_right(case)) for case in cases]


def is_right(case: Case) -> bool:
    """Whether the answer is right, by the rules in `ragtune.results.metrics.right`."""
    return right(
        case.answer,
        case.references,
        question=case.question.instruction,
        refusals=case.refusals,
        labels=case.labels,
    )


RIGHT = Right()
TOKEN_F1 = ByWords("token_f1", "token F1", answers.token_f1)
EXACT_MATCH = ByWords("exact_match", "exact match", answers.exact_match)
ROUGE_L = ByWords("rouge_l", "ROUGE-L", answers.rouge_l)
RECALL = ByWords("recall", "reference recall", answers.recall)
