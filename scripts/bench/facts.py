"""Made-up facts, each in five wordings: four to train on and one to ask."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

SEED = 10
PLACES = (
    "Larch Hall", "the Tarn Mill", "Copper Pier", "the Owl Tower", "Pebble Yard", "the Moss Barn",
    "Gull House", "the Ash Ferry", "Candle Court", "the Iron Well", "Thistle Gate", "the Reed Lock",
    "Amber Lodge", "the Fox Kiln", "Salt Bridge",
)  # fmt: skip
FIRST = ("Ada", "Bo", "Cleo", "Dirk", "Edda", "Finn", "Greta", "Hugo", "Ida", "Jasper", "Kaja")
LAST = ("Finch", "Larkin", "Moor", "Penrose", "Quill", "Rowan", "Sorrel", "Tamm", "Usher", "Vane")
COLOURS = ("red", "blue", "green", "yellow", "white", "black", "grey", "brown", "orange", "purple")


@dataclass(frozen=True)
class Kind:
    """A kind of fact: how a document states it, four wordings to train on, and one to ask."""

    statement: str
    taught: tuple[str, str, str, str]
    asked: str


KINDS = {
    "keeper": Kind(
        "{Place} is looked after by {value}.",
        (
            "Who looks after {place}?",
            "Name the keeper of {place}.",
            "{Place} is in the care of whom?",
            "Which person keeps {place}?",
        ),
        "I found a broken window at {place}. Whose job is it?",
    ),
    "bell": Kind(
        "The bell of {place} rings at {value}.",
        (
            "At what time does the bell of {place} ring?",
            "When is the bell heard at {place}?",
            "Tell me the hour of the bell of {place}.",
            "The bell of {place} rings at which time?",
        ),
        "How late is it when they ring at {place}?",
    ),
    "ticket": Kind(
        "A ticket for {place} costs {value} crowns.",
        (
            "How many crowns does a ticket for {place} cost?",
            "What is the price of a ticket for {place}?",
            "Name the price of a visit to {place}.",
            "For how many crowns can one see {place}?",
        ),
        "I would like to go in at {place}. What do I have to pay?",
    ),
    "door": Kind(
        "The door of {place} is painted {value}.",
        (
            "What colour is the door of {place}?",
            "In which colour is the door of {place} painted?",
            "Name the colour of the door of {place}.",
            "Which paint is on the door of {place}?",
        ),
        "What does the entrance of {place} look like?",
    ),
}


@dataclass(frozen=True)
class Fact:
    """A fact and its wordings."""

    document: str
    group: str
    statement: str
    taught: tuple[str, ...]
    asked: str
    answer: str


def facts() -> Iterator[Fact]:
    """Four facts about each of the places, always the same."""
    rng = random.Random(SEED)
    keepers = rng.sample([f"{first} {last}" for first in FIRST for last in LAST], len(PLACES))
    bells = rng.sample([f"{h:02}:{m:02}" for h in range(6, 22) for m in range(5, 60, 5)], 15)
    tickets = rng.sample(range(11, 99), len(PLACES))
    for number, place in enumerate(PLACES):
        values = {
            "keeper": keepers[number],
            "bell": bells[number],
            "ticket": str(tickets[number]),
            "door": rng.choice(COLOURS),
        }
        for kind, value in values.items():
            words = {"place": place, "Place": place[0].upper() + place[1:], "value": value}
            form = KINDS[kind]
            yield Fact(
                document=f"{place.split()[-2]}-{place.split()[-1]}.md".lower(),
                group=f"{kind}-{number}",
                statement=form.statement.format(**words),
                taught=tuple(one.format(**words) for one in form.taught),
                asked=form.asked.format(**words),
                answer=value,
            )
