"""Deterministic metrics of the words that an answer and its reference share."""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ragtune.results.metrics.base import Case
from ragtune.results.metrics.porter import stem

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_WORD = re.compile(r"[^\W_]+")
_SHORT = 3
"""rouge-score stems only words of more characters."""


@dataclass(frozen=True)
class Overlap:
    """A metric by a function of an answer and a reference; of several references the best."""

    name: str
    title: str
    of: Callable[[str, str], float]
    needs: frozenset[str] = frozenset()

    def scores(self, cases: Sequence[Case]) -> list[float]:
        """A number from 0 to 1 for each case."""
        return [max(self.of(case.answer, r) for r in case.references) for case in cases]


def normalise(text: str) -> str:
    """SQuAD's normalisation: lower case, no punctuation, no articles, single spaces.

    As in the evaluation script of Rajpurkar et al., "SQuAD" (EMNLP 2016).
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, reference: str) -> float:
    """1 where both are equal once normalised."""
    return float(normalise(answer) == normalise(reference))


def token_f1(answer: str, reference: str) -> float:
    """The harmonic mean of precision and recall over normalised words; SQuAD's F1."""
    got, wanted = normalise(answer).split(), normalise(reference).split()
    if not got or not wanted:
        return float(got == wanted)
    common = sum((Counter(got) & Counter(wanted)).values())
    return 2 * common / (len(got) + len(wanted))


def rouge_l(answer: str, reference: str) -> float:
    """F-measure of the longest common subsequence of words; Lin, "ROUGE" (2004).

    Words of ASCII are stemmed, others are taken as they are, so that words of any alphabet count.
    Scores are those of rouge-score 0.1.2 with its stemmer, which knows no letters but a to z.
    """
    got, wanted = _stems(answer), _stems(reference)
    common = _longest_common(got, wanted)
    if not common:
        return 0.0
    precision, recall = common / len(got), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def grounded(answer: str, passages: Sequence[str]) -> float:
    """The share of an answer's normalised words that are in the passages; 0 without a word."""
    words = normalise(answer).split()
    known = {word for passage in passages for word in normalise(passage).split()}
    return sum(word in known for word in words) / len(words) if words else 0.0


def _stems(text: str) -> list[str]:
    return [
        stem(word) if word.isascii() and len(word) > _SHORT else word
        for word in _WORD.findall(text.lower())
    ]


def _longest_common(left: Sequence[str], right: Sequence[str]) -> int:
    """The length of the longest common subsequence; one row of the usual table at a time."""
    row = [0] * (len(right) + 1)
    for word in left:
        diagonal = 0
        for n, other in enumerate(right, 1):
            above = row[n]
            row[n] = diagonal + 1 if word == other else max(above, row[n - 1])
            diagonal = above
    return row[-1]


TOKEN_F1 = Overlap("token_f1", "token F1", token_f1)
EXACT_MATCH = Overlap("exact_match", "exact match", exact_match)
ROUGE_L = Overlap("rouge_l", "ROUGE-L", rouge_l)
