"""Records as they are compared: what each asks and answers, in words, worked out where needed.

Of a hundred thousand records all but a few are never looked at closely, so a record's words are
not taken apart before somebody asks for them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property

from ragtune.sources.plain import START, letters_only, numbers, start_of, words
from ragtune.sources.postings import Postings
from ragtune.sources.records import Record

COMMON = 0.1
"""The share of answers above which a word of them does not tell them from others."""
SEVERAL = 5
"""In so many answers at most, a word always does."""


class Asked:
    """A record as it is compared, among those of ``known``."""

    def __init__(self, record: Record, known: "Known") -> None:
        self.record, self._known = record, known

    @cached_property
    def instruction(self) -> list[str]:
        """The words of the instruction."""
        return words(self.record.instruction)

    @cached_property
    def context(self) -> list[str]:
        """The words of what else is part of the question."""
        return words(own) if (own := self._known.own(self.record)) else []

    @cached_property
    def text(self) -> tuple[str, str]:
        """The instruction, and the context where it is part of the question, in words."""
        return " ".join(self.instruction), " ".join(self.context)

    @cached_property
    def parts(self) -> tuple[frozenset[str], frozenset[str]]:
        """The sets of both."""
        return frozenset(self.instruction), frozenset(self.context)

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The numbers in both."""
        return numbers((*self.instruction, *self.context))

    @cached_property
    def answer(self) -> tuple[str, ...]:
        """The words of the response."""
        return tuple(words(self.record.response))

    @cached_property
    def told(self) -> frozenset[str]:
        """The words of the answer that are its own, and not of the question or of most answers."""
        own = frozenset(self.answer).difference(self._known.common, self.instruction, self.context)
        return own or frozenset(self.answer)

    @property
    def about(self) -> frozenset[str]:
        """Its gold documents, or else its context."""
        return frozenset(self.record.gold or filter(None, [self.record.context.strip()]))

    def elsewhere(self, other: "Asked") -> bool:
        """Whether the two are about different documents and have different answers."""
        about, others = self.about, other.about
        apart = bool(about and others) and about.isdisjoint(others)
        return apart and self.answer != other.answer

    def agrees(self, other: "Asked") -> bool:
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

    def declared(self, other: "Asked") -> bool:
        """Whether the two are said to ask for the same fact."""
        return bool(self.record.group) and self.record.group == other.record.group


class Known:
    """The training records, by what they ask and answer.

    ``with_context``: a record's context is part of its question.
    """

    def __init__(self, records: Sequence[Record], *, with_context: bool) -> None:
        self.records, self.with_context = records, with_context
        self._asked: dict[int, Asked] = {}

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, place: int) -> Asked:
        if (found := self._asked.get(place)) is None:
            found = self._asked[place] = Asked(self.records[place], self)
        return found

    def own(self, record: Record) -> str:
        """What beside the instruction is part of a record's question."""
        if not (self.with_context or record.earlier):
            return ""
        return "\n".join([*record.earlier, *([record.context] if self.with_context else [])])

    @cached_property
    def common(self) -> frozenset[str]:
        """The words that a large part of the answers have."""
        most = max(SEVERAL, COMMON * len(self.records))
        return frozenset(Postings(record.response for record in self.records).frequent(most))

    @cached_property
    def instructions(self) -> Postings:
        """The records by the words of their instructions."""
        return Postings(record.instruction for record in self.records)

    @cached_property
    def contexts(self) -> Postings:
        """The records by the words of their contexts, where these are part of the questions."""
        return Postings(map(self.own, self.records))

    def asking(self, asked: Collection[Asked]) -> Mapping[tuple[str, str], list[int]]:
        """The places of the records that ask what one of the questions does, by `Asked.text`."""
        wanted = {self._sketch(question.record) for question in asked}
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place in self._like([i for i, _ in wanted], [r.instruction for r in self.records]):
            if self._sketch(self.records[place]) in wanted:
                found[self[place].text].append(place)
        return found

    def answering(self, asked: Collection[Asked]) -> Mapping[tuple[str, ...], list[int]]:
        """The places of the records that answer what one of the questions does, by the answer."""
        wanted = {letters_only(question.record.response) for question in asked}
        wanted.discard("")
        found: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for place in self._like(wanted, [record.response for record in self.records]):
            if letters_only(self.records[place].response) in wanted:
                found[self[place].answer].append(place)
        return found

    def _like(self, wanted: Iterable[str], texts: Sequence[str]) -> list[int]:
        """The places of the texts that begin as one of the wanted sketches does."""
        starts = {sketch[:START] for sketch in wanted}
        return [place for place, text in enumerate(texts) if start_of(text) in starts]

    def _sketch(self, record: Record) -> tuple[str, str]:
        return letters_only(record.instruction), letters_only(self.own(record))
