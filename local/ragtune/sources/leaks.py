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
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ragtune.sources.plain import numbers, words
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
COMMON = 0.1
"""The share of answers above which a word of them does not tell them from others."""
SEVERAL = 5
"""In so many answers at most, a word always does."""
FEW = 64
"""So many candidates are compared one by one, more all at once."""
LARGE = 1 / 16
"""The share of records from which a word is frequent."""
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
    common = _common_words(train)
    known = [_Asked.of(record, common, with_context=with_context) for record in train]
    asked = [_Asked.of(record, common, with_context=with_context) for record in test]
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
    known, asked = (_instructions(records) for records in (train, test))
    both = {*known} & {*asked}
    here = [n for n, text in enumerate(known) if text in both]
    there = [n for n, text in enumerate(asked) if text in both]
    found = _equal(
        [_Asked.of(train[n], with_context=with_context) for n in here],
        [_Asked.of(test[n], with_context=with_context) for n in there],
    )
    return {there[question]: here[record] for question, record in found.items()}


def _instructions(records: Sequence[Record]) -> list[str]:
    """The words of each instruction: only where they are equal can two records be."""
    return [" ".join(words(record.instruction)) for record in records]


@dataclass(frozen=True, eq=False)
class _Asked:
    """A record as it is compared."""

    record: Record
    text: tuple[str, str]
    parts: tuple[frozenset[str], frozenset[str]]
    """The words of the instruction, and those of the context where it is part of the question."""
    numbers: frozenset[str]
    answer: tuple[str, ...]
    told: frozenset[str]
    """The words of the answer that are its own, and not of the question or of most answers."""

    @classmethod
    def of(cls, record: Record, common: Collection[str] = (), *, with_context: bool) -> "_Asked":
        instruction = words(record.instruction)
        own = [*record.earlier, *([record.context] if with_context else [])]
        context = words("\n".join(own)) if own else []
        answer = tuple(words(record.response))
        told = frozenset(answer).difference(common, instruction, context) or frozenset(answer)
        return cls(
            record,
            (" ".join(instruction), " ".join(context)),
            (frozenset(instruction), frozenset(context)),
            numbers((*instruction, *context)),
            answer,
            told,
        )

    @property
    def about(self) -> frozenset[str]:
        """Its gold documents, or else its context."""
        return frozenset(self.record.gold or filter(None, [self.record.context.strip()]))

    def elsewhere(self, other: "_Asked") -> bool:
        """Whether the two are about different documents and have different answers."""
        about, others = self.about, other.about
        apart = bool(about and others) and about.isdisjoint(others)
        return apart and self.answer != other.answer

    def agrees(self, other: "_Asked") -> bool:
        """Whether the numbers are the same, and the answers share half of what is their own."""
        if self.numbers != other.numbers or self.elsewhere(other):
            return False
        if self.answer == other.answer:
            return True
        values, others = numbers(self.answer), numbers(other.answer)
        if values and others and values.isdisjoint(others):
            return False
        least = min(len(self.told), len(other.told))
        return 2 * len(self.told & other.told) >= least > 0

    def declared(self, other: "_Asked") -> bool:
        """Whether the two are said to ask for the same fact."""
        return bool(self.record.group) and self.record.group == other.record.group


def _common_words(records: Sequence[Record]) -> frozenset[str]:
    """The words that a large part of the answers have."""
    counts = Counter(word for record in records for word in set(words(record.response)))
    return frozenset(word for word, n in counts.items() if n > max(SEVERAL, COMMON * len(records)))


def _equal(known: Sequence[_Asked], asked: Sequence[_Asked]) -> dict[int, int]:
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for n, record in enumerate(known):
        places[record.text].append(n)
    found = {}
    for n, question in enumerate(asked):
        for place in places.get(question.text, ()):
            if not question.elsewhere(known[place]):
                found[n] = place
                break
    return found


@dataclass
class _Part:
    """The instructions, or the contexts, of the training records, by their words."""

    places: Mapping[str, NDArray[np.intp]]
    """Of the records with a word."""
    frequent: Mapping[str, NDArray[np.int32]]
    """1 for each record with one of the words that a large part has, else 0; adds up faster."""
    lengths: NDArray[np.int32]

    @classmethod
    def of(cls, sets: Sequence[frozenset[str]]) -> "_Part":
        places: dict[str, list[int]] = defaultdict(list)
        for n, found in enumerate(sets):
            for word in found:
                places[word].append(n)
        lengths = np.array([len(found) for found in sets], dtype=np.int32)
        arrays = {word: np.array(at, dtype=np.intp) for word, at in places.items()}
        frequent = {
            word: np.bincount(at, minlength=len(sets)).astype(np.int32)
            for word, at in arrays.items()
            if len(at) > len(sets) * LARGE
        }
        return cls(arrays, frequent, lengths)

    def rarest(self, found: frozenset[str]) -> list[NDArray[np.intp]]:
        """The places of the words of which a similar set must have one.

        A set that shares at least `SIMILAR` of n words lacks at most so many, so it has one of any
        n - ceil(SIMILAR n) + 1 (Chaudhuri et al. 2006): the rarest leave the fewest candidates.
        """
        count = len(found) - math.ceil(SIMILAR * len(found) - 1e-9) + 1
        none = np.empty(0, dtype=np.intp)
        return sorted((self.places.get(word, none) for word in found), key=len)[:count]

    def jaccard(self, found: frozenset[str]) -> NDArray[np.float64]:
        """The index of a set of words with that of each record; 1 where both are empty."""
        if not found:
            return np.where(self.lengths == 0, 1.0, 0.0)
        shared = np.zeros(len(self.lengths), dtype=np.int32)
        for word in found:
            if word in self.frequent:
                shared += self.frequent[word]
            elif word in self.places:
                shared[self.places[word]] += 1
        index: NDArray[np.float64] = shared / (len(found) + self.lengths - shared)
        return index


class _Similar:
    """Looks for training records of which a few words differ."""

    def __init__(self, known: Sequence[_Asked]) -> None:
        self.known = known
        self.parts = [_Part.of([record.parts[n] for record in known]) for n in (0, 1)]

    def to(self, question: _Asked) -> tuple[int, float] | None:
        """The most similar record that agrees, and how similar it is."""
        filled = [(p, found) for p, found in zip(self.parts, question.parts, strict=True) if found]
        if not filled:
            return None
        fewest = min((p.rarest(found) for p, found in filled), key=lambda of: sum(map(len, of)))
        if sum(map(len, fewest)) > FEW:
            scores = np.minimum(
                *(p.jaccard(found) for p, found in zip(self.parts, question.parts, strict=True))
            )
            ranked = [(int(at), float(scores[at])) for at in np.flatnonzero(scores >= SIMILAR)]
        else:
            places = sorted({int(at) for some in fewest for at in some})
            ranked = [(at, self._score(question, at)) for at in places]
        for place, score in sorted(ranked, key=lambda one: -one[1]):
            if score >= SIMILAR and question.agrees(self.known[place]):
                return place, score
        return None

    def _score(self, question: _Asked, place: int) -> float:
        pairs = zip(question.parts, self.known[place].parts, strict=True)
        return min(len(a & b) / len(a | b) if a or b else 1.0 for a, b in pairs)


class _SameFact:
    """Looks for training records with the same answer and the same rare words."""

    def __init__(self, known: Sequence[_Asked], asked: Sequence[_Asked]) -> None:
        self.known = known
        counts = Counter(w for one in (*known, *asked) for part in one.parts for w in part)
        total = len(known) + len(asked)
        self.weights = {word: math.log(max(1.0, total / count)) for word, count in counts.items()}
        self.only: dict[str, tuple[str, ...] | None] = {}
        """The answer of all training records with a word; None where they have several."""
        for record in known:
            for word in record.parts[0] | record.parts[1]:
                alike = self.only.setdefault(word, record.answer) == record.answer
                self.only[word] = record.answer if alike else None
        self.answers: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for n, record in enumerate(known):
            if record.answer:
                self.answers[record.answer].append(n)

    def to(self, question: _Asked) -> tuple[int, float] | None:
        """The record that shares the most, and the share."""
        places = self.answers.get(question.answer, ())
        if len(places) > FREQUENT:
            return None
        best: tuple[int, float] | None = None
        for place in places:
            record = self.known[place]
            if question.declared(record) or not question.agrees(record):
                continue
            score = self._shared(question, record)
            if score >= SHARED and (best is None or score > best[1]):
                best = place, score
        return best

    def _shared(self, question: _Asked, record: _Asked) -> float:
        """Of the lighter one's weight, the telling words of both.

        Where contexts differ they are what is asked about; where not, they say nothing.
        """
        differing = int(question.text[1] != record.text[1])
        one, other = question.parts[differing], record.parts[differing]
        weight = min(self._weight(one), self._weight(other))
        telling = frozenset(word for word in one & other if self.only[word] == record.answer)
        return self._weight(telling) / weight if weight else 0.0

    def _weight(self, found: frozenset[str]) -> float:
        return math.fsum(self.weights[word] for word in found)


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
    known: Sequence[_Asked],
    asked: Sequence[_Asked],
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
                record = known[place]
                if not asked[n].declared(record) and asked[n].agrees(record):
                    found.append(Duplicate("close", n, int(place), float(row[place])))
                    break
    return found
