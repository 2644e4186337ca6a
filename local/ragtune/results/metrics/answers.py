"""Deterministic answer metrics, each from 0 to 1 for one answer and its reference."""

import functools
import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


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
    """F-measure of the longest common subsequence, stemmed; Lin, "ROUGE" (2004)."""
    return float(_rouge().score(reference, answer)["rougeL"].fmeasure)


def support(answer: str, passages: Sequence[str]) -> float:
    """The share of an answer's normalised words that stand in the passages; 0 without a word."""
    words = normalise(answer).split()
    known = {word for passage in passages for word in normalise(passage).split()}
    return sum(word in known for word in words) / len(words) if words else 0.0


@functools.cache
def _rouge() -> Any:
    from rouge_score.rouge_scorer import RougeScorer
    from rouge_score.tokenizers import DefaultTokenizer

    return RougeScorer(["rougeL"], tokenizer=_Words(DefaultTokenizer(use_stemmer=True)))


class _Words:
    """rouge_score's own tokenizer for a to z, which knows no other letters; words as they are."""

    def __init__(self, latin: Any) -> None:
        self.latin = latin

    def tokenize(self, text: str) -> list[str]:
        """The words of a text, those of ASCII stemmed."""
        found: list[str] = []
        for word in re.findall(r"[^\W_]+", text.lower()):
            found += self.latin.tokenize(word) if word.isascii() else [word]
        return found


METRICS: Mapping[str, Callable[[str, str], float]] = {
    "token_f1": token_f1,
    "exact_match": exact_match,
    "rouge_l": rouge_l,
}
