"""Questions that sound as if the documents answered them: a name, a date or a thing exchanged.

Each is checked against every sentence that speaks of what was put in: none has the rest of the
question's words, and the reader finds no answer in the likeliest of them. The passage that the
question was drafted from is not asked, for whoever is misled by it is what the study is to find.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ragtune.core.text import refuses
from ragtune.core.text.content import stem
from ragtune.questions.collection import Collection
from ragtune.questions.facts import names_in
from ragtune.questions.passages import Passage
from ragtune.questions.patterns import DAYS, MONTHS
from ragtune.questions.reading import Reader
from ragtune.questions.row import Row
from ragtune.questions.rules import VAGUE, content

SHARED = 0.5
"""The share of a question's other content words that a sentence about what was put in may have."""
ASKED = 2
"""Passages about what was put in that the reader is asked on."""
_NOUN = re.compile(r"\b(?i:the|an?) ((?:[a-z][a-z-]{2,} )?[a-z][a-z-]{3,})\b")
_LINKED = re.compile(r"\b(?:of|the|de|von|van|and)\b")
Near = Callable[[Sequence[str]], list[list[float]]]
"""Words → their vectors."""


@dataclass(frozen=True)
class Miss:
    """A question with something exchanged, and what was put in."""

    row: Row
    question: str
    new: str


def exchanged(rows: Sequence[Row], collection: Collection, embed: Near | None,
              rng: random.Random) -> list[Miss]:  # fmt: skip
    """At most one near miss a question, in random order."""
    names = _all_names(collection)
    nouns = _Nouns(collection, embed) if embed else None
    found: list[Miss] = []
    for row in rng.sample(list(rows), len(rows)):
        ways = [way for way in (_name(row, names, rng), _date(row, rng),
                                nouns.exchange(row) if nouns else None) if way]  # fmt: skip
        if ways:
            old, new = rng.choice(ways)
            question = re.sub(rf"\b{re.escape(old)}\b", new, row.instruction, count=1)
            if question != row.instruction:
                found.append(Miss(row, _article(question), new))
    return found


def unanswered(misses: Sequence[Miss], collection: Collection, reader: Reader) -> list[Row]:
    """Those that nothing in the documents answers, as rows without an answer."""
    clear = [(miss, _speaking(miss, collection)) for miss in misses]
    clear = [(miss, about) for miss, about in clear if not any(_answers(miss, p) for p in about)]
    asked = [(n, passage) for n, (_, about) in enumerate(clear) for passage in about[:ASKED]]
    answers = reader.answer([(passage.shown, clear[n][0].question) for n, passage in asked])
    told = {n for (n, _), answer in zip(asked, answers, strict=True) if not refuses(answer)}
    return [_row(miss) for n, (miss, _) in enumerate(clear) if n not in told]


def _row(miss: Miss) -> Row:
    return replace(
        miss.row, instruction=miss.question, response="", context="", document="", evidence="",
        group=f"{miss.row.group}-near-miss", kind="unanswerable", split="test", reviewed=False,
    )  # fmt: skip


def _speaking(miss: Miss, collection: Collection) -> list[Passage]:
    """Passages about what was put in, those with most of the question's words first."""
    asked = set(content(miss.question))
    found = collection.holding(content(miss.new))
    return sorted(found, key=lambda one: -len(asked & set(content(one.shown))))


def _answers(miss: Miss, passage: Passage) -> bool:
    """Whether a sentence about it has most of what is asked."""
    rest = {word for word in content(miss.question) if word not in VAGUE}
    rest -= set(content(miss.new))
    return bool(rest) and len(rest & set(content(passage.sentence.text))) > SHARED * len(rest)


Names = dict[str, list[tuple[str, str]]]
"""Names with their documents, by what kind of name each is."""


def _all_names(collection: Collection) -> Names:
    """The names in capitals that the sentences have."""
    found: dict[str, dict[str, str]] = {}
    for one in collection.sentences:
        for start, end in [] if one.is_line else names_in(one.text):
            name = one.text[start:end]
            found.setdefault(_kind(one.text, start, name), {}).setdefault(name, one.document)
    return {kind: list(by_name.items()) for kind, by_name in found.items()}


def _kind(text: str, start: int, name: str) -> str:
    """Two words are a person's, as a rule; of others the word before says what they are."""
    size = name.count(" ") + 1
    before = text[:start].split()[-1:] or [""]
    return "2" if size == 2 and not _LINKED.search(name) else f"{size} {before[0].lower()}"


def _name(row: Row, names: Names, rng: random.Random) -> tuple[str, str] | None:
    asked = row.instruction
    spans = [(a, asked[a:b]) for a, b in names_in(asked) if a > 0]
    spans = [(a, one) for a, one in spans if one not in (*MONTHS, *DAYS) and one in row.context]
    for start, old in rng.sample(spans, len(spans)):
        others = [
            name
            for name, document in names.get(_kind(asked, start, old), [])
            if document != row.document and name not in row.context and name not in asked
        ]
        if others:
            return old, rng.choice(others)
    return None


def _date(row: Row, rng: random.Random) -> tuple[str, str] | None:
    for options in (MONTHS, DAYS):
        for old in options:
            if re.search(rf"\b{old}\b", row.instruction):
                left = [one for one in options if one not in row.context and one != old]
                if left:
                    return old, rng.choice(left)
    return None


def _article(question: str) -> str:
    """The question with "a" and "an" as what follows needs it."""
    return re.sub(
        r"\b([Aa])n? (?=([a-z]))",
        lambda found: found[1] + ("n " if found[2] in "aeio" else " "),
        question,
    )


class _Nouns:
    """Things that the documents speak of, and which of them are alike."""

    ALIKE = (0.4, 0.8)
    """Cosine of two things that can be exchanged: of one kind, and not the same."""

    def __init__(self, collection: Collection, embed: Near) -> None:
        where: dict[str, set[str]] = {}
        counts: Counter[str] = Counter()
        for one in collection.sentences:
            for hit in _NOUN.finditer(one.text):
                noun = hit[1].split()[-1]
                where.setdefault(noun, set()).add(one.document)
                counts[noun] += 1
        self.where = {
            noun: names for noun, names in where.items()
            if stem(noun) not in VAGUE and not noun.endswith(("ly", "ed", "ing", "est"))
        }  # fmt: skip
        self.nouns = list(self.where)
        self.vectors = embed(self.nouns) if self.nouns else []
        self.place = {noun: n for n, noun in enumerate(self.nouns)}

    def exchange(self, row: Row) -> tuple[str, str] | None:
        """A thing of the question and one that is like it, which its passage does not name."""
        named = (hit[1].split()[-1] for hit in _NOUN.finditer(row.instruction))
        asked = [noun for noun in named if noun in self.place and noun in row.context]
        if not asked:
            return None
        known = set(content(f"{row.context} {row.instruction}"))
        near = [(score, old, new) for old in asked for score, new in self._like(old)
                if stem(new) not in known and row.document not in self.where[new]]  # fmt: skip
        return max(near)[1:] if near else None

    def _like(self, noun: str) -> Iterator[tuple[float, str]]:
        mine = self.vectors[self.place[noun]]
        plural = noun.endswith("s")
        for other, vector in zip(self.nouns, self.vectors, strict=True):
            score = sum(a * b for a, b in zip(mine, vector, strict=True))
            if self.ALIKE[0] <= score <= self.ALIKE[1] and other.endswith("s") is plural:
                yield score, other
