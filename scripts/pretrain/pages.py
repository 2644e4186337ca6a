"""Pages written by hand, with slots: prose that reads as people write, asked about in other words.

A page of `words/pages_*.txt` reads

    = title
    f sentence                  nothing is asked about it
    s sentence                  states a fact; {name:option|option|...} defines a slot of the page
    a answer                    word for word in the sentence above
    q question                  one way to ask for that answer
    n question                  sounds as if the sentence answered it; nothing on the page does

with {PERSON1}, {CLOCK2}, ... symbols of the grammar; the same slot is the same text all over one
drawn page, and {ORG} an organisation's name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from random import Random

from .documents import make_organisation
from .grammar import capital, expand
from .samples import REFUSAL, Question, Task
from .wordlists import WORDS

CHOICE = re.compile(r"\{(\w+):([^{}]*)\}")
SLOT = re.compile(r"\{(\w+)\}")
HELD_OUT = 25
NEAR = 0.5
"""How many of the questions that no stretch answers are near misses."""
SYMBOLS = {"PLACE": "MASCOT"}
"""Symbols of a page that the grammar knows under another name."""


@dataclass
class Asked:
    """An answer and the ways to ask for it."""

    answer: str
    questions: list[str] = field(default_factory=list)


@dataclass
class Line:
    """A sentence of a page; none of a filler's is asked for."""

    text: str
    asked: list[Asked] = field(default_factory=list)
    near: list[str] = field(default_factory=list)
    """Questions that it nearly answers."""


@dataclass
class Page:
    """A page, its slots not filled yet."""

    title: str
    lines: list[Line] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, text: str) -> None:
        """Take in one line of the file."""
        for name, options in CHOICE.findall(text):
            self.choices[name] = [option.strip() for option in options.split("|")]
        plain = CHOICE.sub(r"{\1}", text)
        if kind in "sf":
            self.lines.append(Line(plain))
        elif kind == "a":
            self.lines[-1].asked.append(Asked(plain))
        elif kind == "n":
            self.lines[-1].near.append(plain)
        else:
            self.lines[-1].asked[-1].questions.append(plain)


@cache
def pages(held_out: bool = False) -> tuple[Page, ...]:
    """The pages to train on; `held_out`: every 25th page, kept for the evaluation."""
    read: list[Page] = []
    for path in sorted(WORDS.glob("pages_*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            kind, text = line[:1], line[2:].strip()
            if kind == "=":
                read.append(Page(text))
            elif kind and kind in "sfaqn":
                read[-1].add(kind, text)
    return tuple(page for n, page in enumerate(read) if (n % HELD_OUT == 0) is held_out)


class Filling:
    """The values of one drawn page; a slot gets its value when it is first used."""

    def __init__(self, page: Page, organisation: str, rng: Random) -> None:
        self.page, self.rng = page, rng
        self.values = {"ORG": organisation}

    def __call__(self, text: str) -> str:
        """The text with its slots filled, its first letter a capital."""
        return capital(self.inside(text))

    def inside(self, text: str) -> str:
        """The text with its slots filled."""
        return SLOT.sub(lambda found: self._value(found.group(1)), text)

    def exchanged(self, name: str) -> Filling | None:
        """The same page with another value of one slot; None where ten draws give no other."""
        other = Filling(self.page, self.values["ORG"], self.rng)
        drawn = (other._draw(name) for _ in range(10))
        value = next((one for one in drawn if one not in self.values.values()), None)
        other.values = {**self.values, name: value} if value else {}
        return other if value else None

    def _value(self, name: str) -> str:
        if name not in self.values:
            self.values[name] = self._draw(name)
        return self.values[name]

    def _draw(self, name: str) -> str:
        if name in self.page.choices:
            return self.rng.choice(self.page.choices[name])
        symbol = name.rstrip("0123456789")
        for _ in range(20):
            text = expand(SYMBOLS.get(symbol, symbol), self.rng)
            if text not in self.values.values():
                break
        return text


@dataclass(frozen=True)
class Stretch:
    """Some sentences of a drawn page one after the other, as retrieval cuts them."""

    text: str
    questions: list[Question]
    beyond: list[Question]
    """Asked about the rest of the page: not answered here."""
    near: list[Question]
    """Asked about something that the stretch says of another: a word, name or thing exchanged."""


def stretch(page: Page, organisation: str, rng: Random) -> Stretch:
    """From two to six sentences of the page, from anywhere in it."""
    fill = Filling(page, organisation, rng)
    count = min(rng.randint(2, 6), len(page.lines))
    first = rng.randint(0, len(page.lines) - count)
    chosen = page.lines[first : first + count]
    text = " ".join(fill(line.text) for line in chosen)
    if rng.random() < (0.6 if first == 0 else 0.2):
        title = fill(page.title)
        text = rng.choice(("# {}\n\n{}", "{}\n\n{}", "{}\n{}", "## {}\n\n{}")).format(title, text)
    inside = [_question(asked, fill, rng) for line in chosen for asked in line.asked]
    others = page.lines[:first] + page.lines[first + count :]
    outside = [_question(asked, fill, rng) for line in others for asked in line.asked]
    beyond = [Question(one.text, REFUSAL) for one in outside if one.answer not in text]
    return Stretch(text, inside, beyond, _near(chosen, fill, text))


def _near(chosen: list[Line], fill: Filling, text: str) -> list[Question]:
    """The near misses written for the lines, and those that exchanged slots give."""
    written = [fill(question) for line in chosen for question in line.near]
    asked = [question for line in chosen for one in line.asked for question in one.questions]
    exchanged = [_mistaken(question, fill, text) for question in asked]
    return [Question(one, REFUSAL) for one in (*written, *exchanged) if one]


def _mistaken(question: str, fill: Filling, text: str) -> str | None:
    """The question with one of its slots filled otherwise, where the text says it of what stood."""
    for name in SLOT.findall(question):
        if name == "ORG" or fill.inside(f"{{{name}}}") not in text:
            continue
        other = fill.exchanged(name)
        if other and other.inside(f"{{{name}}}") not in text:
            return other(question)
    return None


def page_task(
    rng: Random, passages: int, refusals: float, most: int, *, held_out: bool = False
) -> Task:
    """Stretches of drawn pages and questions about them.

    `refusals`: the share of questions whose answer stands in none of the stretches; `most`: how
    many questions at most; `held_out`: of the pages kept for the evaluation.
    """
    organisation = make_organisation(rng).name
    drawn = rng.sample(pages(held_out), passages)
    made = [stretch(page, organisation, rng) for page in drawn]
    text = "\n".join(one.text for one in made)
    inside = [question for one in made for question in one.questions]
    near = [question for one in made for question in one.near]
    beyond = [question for one in made for question in one.beyond]
    if passages > 1 and rng.random() < 0.3:
        beyond = stretch(rng.choice(pages(held_out)), organisation, rng).questions
        beyond = [Question(one.text, REFUSAL) for one in beyond if one.answer not in text]
    for questions in (inside, near, beyond):
        rng.shuffle(questions)
    asked: list[Question] = []
    while len(asked) < most:
        unanswered = near if rng.random() < NEAR else beyond
        left = unanswered if rng.random() < refusals else inside
        if not left:
            break
        asked.append(left.pop())
    return Task(asked, tuple(one.text for one in made))


def _question(asked: Asked, fill: Filling, rng: Random) -> Question:
    answer = fill.inside(asked.answer)
    return Question(fill(rng.choice(asked.questions)), answer)
