"""What a question is wished to name, and how to start, from what is around its answer."""

import re

from ragtune.questions.facts import Fact
from ragtune.questions.stems import content
from ragtune.sources.readers.table import BAR

BEHIND = 15
"""Characters by which a word behind the answer counts as further away."""


def wishes(fact: Fact) -> list[tuple[list[str], str]]:
    """What a question has to name, and how it has to start, for each try."""
    near, title = nearest(fact), topic(fact)
    with_title = list(dict.fromkeys([*near[:2], *title[-1:]]))
    start = start_for(fact)
    return [(near[:3], ""), (with_title, start), ([], "")]


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
