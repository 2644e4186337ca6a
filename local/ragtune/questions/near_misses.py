"""Questions that sound as if the documents answered them.

In some a name or a date is exchanged for another one, some ask of a person what nobody has said.

Each is checked against every sentence that speaks of what was put in: none has the rest of the
question's words, and the reader finds no answer in the likeliest of them. The passage that the
question was drafted from is not asked, for whoever is misled by it is what the study is to find.
"""

import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from ragtune.core.text import refuses
from ragtune.questions.collection import Collection
from ragtune.questions.facts import names_in
from ragtune.questions.passages import Passage
from ragtune.questions.patterns import DAYS, MONTHS
from ragtune.questions.reading import Reader
from ragtune.questions.row import Row
from ragtune.questions.stems import VAGUE, content

SHARED = 0.5
"""The share of a question's other content words that a sentence about what was put in may have."""
ASKED = 2
"""Passages about what was put in that the reader is asked on."""
_LINKED = re.compile(r"\b(?:of|the|de|von|van|and)\b")


Names = dict[str, list[tuple[str, str]]]
"""Names with their documents, by what kind of name each is."""


@dataclass(frozen=True)
class Miss:
    """A question with something exchanged, and what was put in."""

    row: Row
    question: str
    new: str


def near_misses(rows: Sequence[Row], collection: Collection, rng: random.Random) -> list[Miss]:
    """Exchanged names and dates, and things that are not said of people, by turns."""
    names = _all_names(collection)
    exchanged: list[Miss] = []
    for row in rng.sample(list(rows), len(rows)):
        ways = [way for way in (_name(row, names, rng), _date(row, rng)) if way]
        if ways:
            old, new = rng.choice(ways)
            question = re.sub(rf"\b{re.escape(old)}\b", new, row.instruction, count=1)
            exchanged.append(Miss(row, question, new))
    unsaid = _unsaid(rows, names, collection, rng)
    turns = zip_longest(exchanged, unsaid)
    return [one for pair in turns for one in pair if one is not None]


ABOUT = (
    ("How old is {}?", r"\b(?:age|aged|old|born|birthday)\b"),
    (
        "What is the telephone number of {}?",
        r"\b(?:extension|telephone|phone|number|call|ring)s?\b",
    ),
    ("Who stands in for {} during holidays?", r"\b(?:deputy|assistant|stands? in|replaces?)\b"),
    ("In which town does {} live?", r"\b(?:lives?|home|house|flat|from|town)\b"),
    ("When did {} take up the post?", r"\b(?:since|joined|began|started|year|took)\b|\d{4}"),
)
"""What may be asked of a person, and words of sentences that may answer it."""


def _unsaid(
    rows: Sequence[Row], names: Names, collection: Collection, rng: random.Random
) -> list[Miss]:
    """Questions about people that no sentence with their name, nor its neighbours, speaks of."""
    common = set(re.findall(r"\b[a-z]+\b", " ".join(one.text for one in collection.sentences)))
    people = [
        name
        for name, _ in names.get("2", [])
        if not any(word.lower() in common for word in name.split())
    ]
    found: list[Miss] = []
    for person in rng.sample(people, len(people)):
        about = " ".join(passage.text for passage in collection.holding(content(person)))
        asked = [form for form, look in ABOUT if not re.search(look, about, re.I)]
        if asked and about:
            row = rng.choice(list(rows))
            found.append(Miss(row, rng.choice(asked).format(person), person))
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
    return Row(
        instruction=miss.question,
        response="",
        group=hashlib.sha256(miss.question.encode()).hexdigest()[:10],
        kind="unanswerable",
        drafted=miss.row.drafted,
    )


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
