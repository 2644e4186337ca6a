"""What ``results.json`` holds of the data: how it was split, and what is wrong with it."""

from typing import Literal

from ragtune.results.parts import Part


class Division(Part):
    """How the records were split: of ``records``, ``asked`` were to be held out.

    The biggest unit that is never torn has ``largest`` records; ``largest_by`` is what they have
    in common.
    """

    by: Literal["document", "question"]
    records: int
    asked: int
    held_out: int
    largest: int
    largest_by: str


class NearDuplicate(Part):
    """A held-out question, by its id and text, and the training record that all but asks it."""

    kind: Literal["equal", "similar", "same_fact", "close"]
    score: float
    question: str
    asked: str
    trained: str


class NearDuplicates(Part):
    """Held-out questions that a training record all but asks, each counted by its strongest kind.

    ``close`` is None where no embedder was loaded. ``declared`` are questions whose ``group`` is
    also among the training records: they are meant to ask for the same facts.
    """

    equal: int = 0
    similar: int = 0
    same_fact: int = 0
    close: int | None = None
    declared: int = 0
    examples: tuple[NearDuplicate, ...] = ()

    @property
    def total(self) -> int:
        """Questions with a near-duplicate of any kind."""
        return self.equal + self.similar + self.same_fact + (self.close or 0)


class GoldFaults(Part):
    """Ids of questions that say nothing about retrieval, for no search could find their gold.

    ``unknown``: no gold document of theirs exists; ``absent``: the evidence is in none.
    """

    unknown: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def questions(self) -> frozenset[str]:
        """All of them."""
        return frozenset((*self.unknown, *self.absent))


class DataCounts(Part):
    """Records to train on, questions to test with, and what is wrong with them.

    Of the questions a person reviewed ``reviewed``, None where they say nothing of that.
    ``division`` is None for questions of a file of their own, ``near_duplicates`` where nothing is
    tuned, ``gold`` where nothing is retrieved.
    """

    train: int = 0
    test: int = 0
    reviewed: int | None = None
    bad_lines: tuple[str, ...] = ()
    questions_also_in_training: int = 0
    division: Division | None = None
    near_duplicates: NearDuplicates | None = None
    gold: GoldFaults | None = None
