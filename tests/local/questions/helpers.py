"""Sentences and facts for the tests of drafting."""

from types import SimpleNamespace
from typing import Any

from ragtune.questions.collection import Collection
from ragtune.questions.facts import Fact, facts_of
from ragtune.questions.passages import Passage, Sentence, sentences_of
from ragtune.retrieval import sentences

DOCUMENTS = {
    "parking.md": (
        "Staff parking",
        "A permit for the upper car park costs 30 crowns a month. Permits are given out by Mara "
        "Oduya at the front desk. The barrier is closed at 10 p.m. because the neighbours "
        "complained.",
    ),
    "library.md": (
        "The small library",
        "A reader may take home six books at once. The librarian Tomas Brandl opens the hall on "
        "Mondays. Lost cards are replaced at the green counter.",
    ),
    "boats.md": (
        "Hiring a boat",
        "A rowing boat is hired for two hours. The key hangs behind the ticket window. Children "
        "must wear a life jacket. In March the lake is closed for repairs.",
    ),
}


def nodes(documents: dict[str, tuple[str, str]] = DOCUMENTS) -> list[Any]:
    """A chunk a document, as the chunker gives it."""
    return [
        SimpleNamespace(text=text, metadata={"document": name, "title": title, "locator": title})
        for name, (title, text) in documents.items()
    ]


def collection(documents: dict[str, tuple[str, str]] = DOCUMENTS) -> Collection:
    """All of them, read."""
    return Collection(sentences_of(nodes(documents), sentences.sentences()))


def facts(text: str, title: str = "") -> list[Fact]:
    """The facts of one sentence."""
    sentence = Sentence(text, "a.md", title, "", 0, " | " in text)
    return facts_of(Passage(sentence, text))


def fact(text: str, answer: str, title: str = "") -> Fact:
    """One of them, by its answer."""
    return next(one for one in facts(text, title) if one.answer == answer)
