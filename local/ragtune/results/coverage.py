"""Questions inside and outside of what the training records are about.

Tuning is said to be for a narrow task, retrieval for wide knowledge; on these two sides each is
measured where it is said to be at its best.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel

from ragtune.core.text import words
from ragtune.recipe.arms import Arm
from ragtune.results.parts import Coverage, Covered
from ragtune.results.statistics import Values, by_seed, compare, estimate
from ragtune.sources.records import Record

By = Literal["document", "group", "question"]
NEAREST = 0.5
"""The share of words that two questions have in common (Jaccard) from which they ask the same."""
LEAST = 10
"""Fewer questions on a side than this are not measured."""
_COMPARED: tuple[Arm, ...] = ("tuned", "rag")


class Marks(BaseModel):
    """For each question, in order, whether the training records cover it; and how that is seen."""

    by: By
    inside: list[bool]


def marks(train: Sequence[Record], questions: Sequence[Record]) -> Marks:
    """By the first of document, group and nearest question that leaves enough on both sides.

    Where none does, by the last: then one side is too small to be measured.
    """
    found = Marks(by="document", inside=[])
    for by, inside in _WAYS.items():
        found = Marks(by=by, inside=inside(train, questions))
        if min(sum(found.inside), len(found.inside) - sum(found.inside)) >= LEAST:
            break
    return found


def coverage(
    seen: Marks,
    places: Sequence[int],
    scores: Mapping[Arm, Values],
    seed: int,
) -> Coverage:
    """The deciding metric's scores on both sides; ``places`` are the judged questions among all."""
    judged = np.array([seen.inside[n] for n in places], dtype=bool)
    sides = [_side(scores, np.flatnonzero(judged == inside), seed) for inside in (True, False)]
    return Coverage(by=seen.by, inside=sides[0], outside=sides[1])


def _side(
    scores: Mapping[Arm, Values], places: "np.typing.NDArray[np.intp]", seed: int
) -> Covered | None:
    if len(places) < LEAST:
        return None
    there = {arm: by_seed(values)[:, places] for arm, values in scores.items()}
    both = {str(arm): there[arm] for arm in _COMPARED if arm in there}
    pair = compare(both, seed)
    return Covered(
        questions=len(places),
        arms={arm: estimate(values, seed) for arm, values in there.items()},
        difference=pair[0] if pair else None,
    )


def _by_document(train: Sequence[Record], questions: Sequence[Record]) -> list[bool]:
    known = {r.document for r in train} - {""}
    return [q.document in known for q in questions]


def _by_group(train: Sequence[Record], questions: Sequence[Record]) -> list[bool]:
    known = {r.group for r in train} - {""}
    return [q.group in known for q in questions]


def _by_question(train: Sequence[Record], questions: Sequence[Record]) -> list[bool]:
    """Whether a training question shares `NEAREST` of its words; counted by an inverted index."""
    from scipy.sparse import csr_matrix

    sides = [[_words(r) for r in side] for side in (train, questions)]
    numbers = {word: n for n, word in enumerate(sorted(set().union(*sides[0], *sides[1])))}

    def matrix(rows: Sequence[set[str]]) -> csr_matrix:
        ends = np.cumsum([0, *map(len, rows)])
        places = np.array([numbers[word] for row in rows for word in row], dtype=np.int64)
        return csr_matrix((np.ones(len(places)), places, ends), (len(rows), len(numbers)))

    known, asked = matrix(sides[0]), matrix(sides[1])
    lengths = np.array([len(row) for row in sides[0]])
    inside = []
    for n, row in enumerate(sides[1]):
        common = (known @ asked[n].T).toarray().ravel()
        share = common / np.maximum(lengths + len(row) - common, 1)
        inside.append(bool(share.max(initial=0.0) >= NEAREST))
    return inside


def _words(record: Record) -> set[str]:
    return set(words(f"{record.instruction} {record.context}"))


_WAYS: Mapping[By, Callable[[Sequence[Record], Sequence[Record]], list[bool]]] = {
    "document": _by_document,
    "group": _by_group,
    "question": _by_question,
}
