"""What a question is wished to name, and how to start, from what is around its answer."""

import re

from ragtune.questions.facts import Fact
from ragtune.questions.rules import content
from ragtune.sources.readers.table import BAR


def wishes(fact: Fact) -> list[tuple[list[str], str]]:
    """What a question has to name, and how it has to start, for each try."""
    near, title = subject(fact), topic(fact)
    both = list(dict.fromkeys([*title[:1], *near[:2]]))
    return [(both, ""), (near[:2], start_for(fact)), (title[:2], "")]


def subject(fact: Fact) -> list[str]:
    """Words of the sentence that say what it speaks of: names, then those nearest to its start."""
    text = fact.sentence.text
    rest = f"{text[: fact.start]} | {text[fact.end :]}"
    if fact.sentence.is_line:
        cell = text[: fact.start].rpartition(BAR)[2]
        first = text.partition(BAR)[0].rpartition(": ")[2] if BAR in text else fact.sentence.title
        return [word for word in (first.strip(), cell.strip(" :")) if word]
    words = re.findall(r"[\w\u2019'-]+", rest)
    telling = [
        word for word in words if len(word) > 3 and content(word) and not word.endswith("ly")
    ]
    names = [word for word in telling if word[0].isupper() and not rest.startswith(word)]
    return list(dict.fromkeys([*names[:1], *telling]))


def topic(fact: Fact) -> list[str]:
    """Words of the title and heading."""
    words = re.findall(r"[\w\u2019'-]+", fact.sentence.head)
    return [word for word in words if len(word) > 3 and content(word)][-2:]


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
