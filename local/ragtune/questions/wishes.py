"""What a question is wished to be like, to name and to start with."""

import re
from dataclasses import dataclass

from ragtune.questions import form
from ragtune.questions.facts import Fact
from ragtune.questions.rules import content
from ragtune.sources.readers.table import BAR

DISTANT = 0.34
"""The share of its content words that a distant question has from its sentence, at most; people's,
on documents that they had read some time before, have 0.2 to 0.3."""
FIRST_PERSON = re.compile(r"\b(?:I|my|me|we|our|us|you|your|mine)\b", re.I)
BEHIND = 15
"""Characters by which a word behind the answer counts as further away."""


@dataclass(frozen=True)
class Wish:
    """What a question is to be like, words that it is to name, and how it is to start."""

    like: str
    names: tuple[str, ...] = ()
    start: str = ""


def wishes(fact: Fact) -> list[Wish]:
    """What is wished for in each try at a question."""
    near, title = nearest(fact), topic(fact)
    found = [Wish(form.PLAIN, tuple(near[:3]))]
    if fact.sentence.is_line:
        return [*found, Wish(form.PLAIN, tuple(near[:2]), start_for(fact)), Wish(form.PLAIN)]
    return [
        *found,
        Wish(form.DISTANT),
        Wish(form.DISTANT, tuple(title[-1:]), start_for(fact)),
        Wish(form.NEED),
    ]


def kind_of(question: str, fact: Fact) -> str:
    """The wish that a question is like: of somebody in need, distant from its sentence, or near."""
    if FIRST_PERSON.search(question):
        return form.NEED
    return form.DISTANT if share(question, fact.sentence.text) <= DISTANT else form.PLAIN


def share(question: str, sentence: str) -> float:
    """The share of a question's content words that a sentence has."""
    asked, said = set(content(question)), set(content(sentence))
    return len(asked & said) / max(1, len(asked))


def nearest(fact: Fact) -> list[str]:
    """Content words of the sentence, those nearest to the answer first, before it or behind."""
    text = fact.sentence.text
    if fact.sentence.is_line:
        return row_names(fact)
    found = [
        (
            fact.start - hit.end() if hit.end() <= fact.start else hit.start() - fact.end + BEHIND,
            hit,
        )
        for hit in re.finditer(r"[\w\u2019'-]+", text)
        if (hit.end() <= fact.start or hit.start() >= fact.end)
        and content(hit[0])
        and not hit[0].endswith("ly")
    ]
    return list(dict.fromkeys(hit[0] for _, hit in sorted(found, key=lambda pair: pair[0])))


def row_names(fact: Fact) -> list[str]:
    """What names a table's row, and the name of the cell that is asked for."""
    text = fact.sentence.text
    cell = text[: fact.start].rpartition(BAR)[2].strip(" :")
    first = text.partition(BAR)[0].rpartition(": ")[2] if BAR in text else fact.sentence.title
    return [word for word in (first.strip(), cell) if word]


def topic(fact: Fact) -> list[str]:
    """Content words of the title and heading."""
    words = re.findall(r"[\w\u2019'-]+", fact.sentence.head)
    return [word for word in words if len(word) > 3 and content(word)]


_MONEY = r"[$£€¥]|euro|pound|dollar|cent|crown|franc|EUR|USD|GBP"
_PERIOD = r"(?:second|minute|hour|day|night|week|month|year)s?$"
_STARTS = (
    ("figure", _MONEY, "How much"),
    ("figure", r"^[\w.,-]+$", "How many"),
    ("figure", _PERIOD, "How long"),
    ("date", "", "When"),
    ("reason", "", "Why"),
    ("phrase", r"^(?:in|on|at|behind|under|beside|near|next|inside|above)\b", "Where"),
    ("name", r"^(?!.*\b(?:of|the)\b)\S+ \S+$", "Who"),
    ("definition", "", "What"),
    ("list", "", "What"),
    ("phrase", "", "What"),
)
"""How a question for a kind of answer, of this look, usually starts."""


def start_for(fact: Fact) -> str:
    """The usual start of a question for a fact."""
    return next(
        (
            start
            for kind, look, start in _STARTS
            if kind == fact.kind and re.search(look, fact.answer)
        ),
        "Which",
    )


def other_start(question: str) -> str:
    """A question word that the question does not start with, for the same kind of answer."""
    first = " ".join(question.split()[:2]).lower()
    table = {
        "how much": "What", "how many": "What number", "how long": "For how long",
        "when": "On which", "at what": "When", "where": "In which", "who": "Which person",
        "why": "For what reason", "what": "Which", "which": "What",
    }  # fmt: skip
    return next((other for begin, other in table.items() if first.startswith(begin)), "What")
