"""Near-duplicates: held-out questions that a training record all but asks.

Four kinds, the strongest first; a question counts once:

- ``equal``: the same but for case, punctuation and spacing.
- ``similar``: a few words differ; the Jaccard index of their sets of words is at least `SIMILAR`.
- ``same_fact``: the same answer, and the same telling words. Each word weighs as much as it is rare
  (the log of all records by those with it); of the lighter question's weight at least `SHARED` is
  in words that both have, and that no training record with another answer has.
- ``close``: the cosine of their embeddings is at least `CLOSE`.

But for ``equal``, numbers must be the same and the answers must agree: "rule 11" and "rule 12" are
no leak, nor are the capitals of two countries. Where a record's context is part of its question,
it is compared as well. Questions whose ``group`` is also among the training records are meant to
ask for the same facts; they are counted as ``declared``, and not as ``same_fact`` or ``close``.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ragtune.core import collection
from ragtune.sources.asked import Asked, Known
from ragtune.sources.postings import Places
from ragtune.sources.records import Record

SIMILAR = 0.8
SHARED = 0.3
CLOSE = 0.85
CROWDED = 0.6
"""The mean cosine of unrelated questions from which `CLOSE` is taken above it."""
MANY = 16
"""Questions, and records, of fewer of which a mean says nothing."""
FREQUENT = 50
"""An answer that more records than this give is a label, and says nothing about the question."""
FEW = 64
"""So many contexts are compared one by one, without an index of all of them."""
WIDE = 0.01
"""The share of the records from which instructions leave too many candidates."""
EXAMPLES = 5
"""So many pairs are named."""
BLOCK = 256
"""Questions whose embeddings are compared at once."""

Kind = Literal["equal", "similar", "same_fact", "close"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Duplicate:
    """A question and a training record, by their places; ``score`` is what its kind measures."""

    kind: Kind
    question: int
    record: int
    score: float


@dataclass(frozen=True)
class Leaks:
    """The questions with a near-duplicate; ``embedded`` says whether ``close`` was looked for.

    ``declared`` are the questions whose group is also among the training records.
    """

    duplicates: tuple[Duplicate, ...] = ()
    declared: int = 0
    embedded: bool = False

    def count(self, kind: Kind) -> int:
        """How many questions have one of this kind."""
        return sum(one.kind == kind for one in self.duplicates)

    def to_json(self, train: Sequence[Record], test: Sequence[Record]) -> dict[str, Any]:
        """Counts by kind, None for what was not looked for; a few pairs, the strongest first."""
        ranked = sorted(self.duplicates, key=lambda one: KINDS.index(one.kind))
        return {
            **{kind: self.count(kind) for kind in KINDS},
            **({} if self.embedded else {"close": None}),
            "declared": self.declared,
            "examples": [
                {
                    "kind": one.kind,
                    "score": round(one.score, 3),
                    "question": test[one.question].id,
                    "asked": test[one.question].instruction,
                    "trained": train[one.record].instruction,
                }
                for one in ranked[:EXAMPLES]
            ],
        }


def find(
    train: Sequence[Record],
    test: Sequence[Record],
    *,
    with_context: bool,
    vectors: tuple[Vectors, Vectors] | None = None,
) -> Leaks:
    """The near-duplicate of each held-out question, where it has one.

    ``with_context``: a record's context is part of its question. ``vectors`` are the embeddings,
    of unit length, of the training records' questions and of the held-out ones.
    """
    with collection.paused():
        return _found(train, test, with_context, vectors)


def _found(
    train: Sequence[Record],
    test: Sequence[Record],
    with_context: bool,
    vectors: tuple[Vectors, Vectors] | None,
) -> Leaks:
    known = Known(train, with_context=with_context)
    asked = [Asked(record, known) for record in test]
    found: dict[int, Duplicate] = {
        n: Duplicate("equal", n, record, 1.0) for n, record in _equal(known, asked).items()
    }
    similar, same_fact = _Similar(known), _SameFact(known, asked)
    for n, question in enumerate(asked):
        if n not in found and (one := similar.to(question)):
            found[n] = Duplicate("similar", n, *one)
        if n not in found and (one := same_fact.to(question)):
            found[n] = Duplicate("same_fact", n, *one)
    if vectors is not None:
        left = [n for n in range(len(asked)) if n not in found]
        found.update((near.question, near) for near in _close(known, asked, left, *vectors))
    groups = {record.group for record in train if record.group}
    return Leaks(
        tuple(found[n] for n in sorted(found)),
        sum(record.group in groups for record in test),
        vectors is not None,
    )


def equal(train: Sequence[Record], test: Sequence[Record], *, with_context: bool) -> dict[int, int]:
    """The places of the questions that are also in training, each with that of the record."""
    known = Known(train, with_context=with_context)
    return _equal(known, [Asked(record, known) for record in test])


def _equal(known: Known, asked: Sequence[Asked]) -> dict[int, int]:
    places = known.asking(asked)
    found = {}
    for n, question in enumerate(asked if places else ()):
        for place in places.get(question.text, ()):
            if not question.elsewhere(known[place]):
                found[n] = place
                break
    return found


class _Similar:
    """Looks for training records of which a few words differ."""

    def __init__(self, known: Known) -> None:
        self.known = known

    def to(self, question: Asked) -> tuple[int, float] | None:
        """The most similar record that agrees, and how similar it is."""
        if not any(question.parts):
            return None
        places = self._candidates(question)
        instruction, context = question.parts
        scores = self.known.instructions.jaccard(instruction, places)
        places, scores = places[scores >= SIMILAR], scores[scores >= SIMILAR]
        if len(places):
            scores = np.minimum(scores, self._contexts(context, places))
        for n in np.argsort(-scores, kind="stable"):
            if scores[n] >= SIMILAR and question.agrees(self.known[int(places[n])]):
                return int(places[n]), float(scores[n])
        return None

    def _candidates(self, question: Asked) -> Places:
        """The records that may be similar, by the part of the question that leaves the fewest."""
        instruction, context = question.parts
        instructions = self.known.instructions
        rarest = instructions.rarest(instruction, SIMILAR) if instruction else []
        count = sum(map(instructions.count, rarest))
        if context and (not instruction or count > max(FEW, WIDE * len(self.known))):
            contexts = self.known.contexts
            rare = contexts.rarest(context, SIMILAR)
            if not instruction or sum(map(contexts.count, rare)) < count:
                return contexts.candidates(rare, len(context), SIMILAR)
        return instructions.candidates(rarest, len(instruction), SIMILAR)

    def _contexts(self, found: frozenset[str], places: Places) -> NDArray[np.float64]:
        """The index of a question's context with the records' at some places."""
        if len(places) > FEW:
            return self.known.contexts.jaccard(found, places)
        return np.array([_jaccard(found, self.known[int(at)].parts[1]) for at in places])


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one or other else 1.0


class _SameFact:
    """Looks for training records with the same answer and the same rare words."""

    def __init__(self, known: Known, asked: Sequence[Asked]) -> None:
        self.known, self.asked = known, asked
        self.answers = known.answering(asked)
        self._weight_of = cache(self._weight_of_word)
        self._asked_counts: Counter[str] | None = None

    def to(self, question: Asked) -> tuple[int, float] | None:
        """The record that shares the most, and the share."""
        places = self.answers.get(question.answer, ())
        if len(places) > FREQUENT:
            return None
        best: tuple[int, float] | None = None
        for place in places:
            record = self.known[place]
            if question.declared(record) or not question.agrees(record):
                continue
            score = self._shared(question, record, places)
            if score >= SHARED and (best is None or score > best[1]):
                best = place, score
        return best

    def _shared(self, question: Asked, record: Asked, places: Sequence[int]) -> float:
        """Of the lighter one's weight, the telling words of both.

        Where contexts differ they are what is asked about; where not, they say nothing.
        ``places`` are those of all records with the answer of both.
        """
        differing = int(question.text[1] != record.text[1])
        one, other = question.parts[differing], record.parts[differing]
        weight = min(self._weight(one), self._weight(other))
        telling = frozenset(word for word in one & other if self._tells(word, places))
        return self._weight(telling) / weight if weight else 0.0

    def _tells(self, word: str, places: Sequence[int]) -> bool:
        """Whether no record but those at these places has a word."""
        parts = self.known.instructions, self.known.contexts
        if max(part.count(word) for part in parts) > len(places):
            return False
        return all({*part.places(word).tolist()} <= {*places} for part in parts)

    def _weight(self, found: frozenset[str]) -> float:
        return math.fsum(map(self._weight_of, found))

    def _weight_of_word(self, word: str) -> float:
        """The log of all records and questions by the times that they have the word."""
        if self._asked_counts is None:
            self._asked_counts = Counter(w for q in self.asked for part in q.parts for w in part)
        known = self.known
        count = known.instructions.count(word) + known.contexts.count(word)
        total = len(known) + len(self.asked)
        return math.log(max(1.0, total / (count + self._asked_counts[word])))


def _least(train: Vectors, test: Vectors) -> float:
    """The cosine from which two questions are close.

    Some embedders, E5 among them, leave no two texts far apart: of such a one only what is above
    the mean counts.
    """
    if min(len(train), len(test)) < MANY:
        return CLOSE
    mean = float(test.mean(axis=0) @ train.mean(axis=0))
    return CLOSE if mean < CROWDED else mean + CLOSE * (1 - mean)


def _close(
    known: Known,
    asked: Sequence[Asked],
    left: Sequence[int],
    train: Vectors,
    test: Vectors,
) -> list[Duplicate]:
    """For each of the questions that are left, the nearest record that agrees."""
    found, least = [], _least(train, test)
    for start in range(0, len(left), BLOCK):
        block = left[start : start + BLOCK]
        cosines = test[block] @ train.T
        for n, row in zip(block, cosines, strict=True):
            places = np.flatnonzero(row >= least)
            for place in places[np.argsort(-row[places], kind="stable")]:
                record = known[int(place)]
                if not asked[n].declared(record) and asked[n].agrees(record):
                    found.append(Duplicate("close", n, int(place), float(row[place])))
                    break
    return found
