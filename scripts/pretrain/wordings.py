"""What the specialist learns of one passage in its last stage: to ask in other words, and to check.

Each fact of a drawn page is asked for near to its sentence, in words that the sentence does not
have, and as somebody would who needs it; and questions are shown beside it, of which some ask for
something else. All of a passage's rows begin alike, so it is read once for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from ragtune.questions import form
from ragtune.questions.rules import content

from .asking import (
    Fact,
    country_facts,
    headed,
    is_need,
    is_plain,
    organisation_facts,
    shared,
    table_facts,
)
from .corpus import Corpus
from .documents import make_organisation
from .pages import Filling, mistaken, pages
from .samples import TEMPLATE

DISTANT = 0.34
"""The share of a question's content words that its sentence has, up to which it is distant.

People's questions on documents that they have read some time ago: 0.2 to 0.3.
"""
SHARES = {"page": 0.80, "organisation": 0.11, "table": 0.05, "country": 0.04}
"""How often a passage is of which kind."""
MOST = 8
"""Facts of a passage, at most."""
NAMED = 0.5
"""How often the instruction says what the question names."""
OPPOSITES = (
    ("before", "after"), ("first", "last"), ("most", "least"), ("open", "close"),
    ("opens", "closes"), ("begin", "end"), ("begins", "ends"), ("start", "finish"),
    ("starts", "stops"), ("buy", "sell"), ("allowed", "forbidden"), ("permitted", "banned"),
    ("inside", "outside"), ("largest", "smallest"), ("longest", "shortest"), ("more", "less"),
    ("highest", "lowest"), ("upper", "lower"), ("new", "old"), ("with", "without"),
    ("arrive", "leave"), ("up", "down"), ("earliest", "latest"), ("oldest", "newest"),
    ("maximum", "minimum"), ("on", "off"), ("given", "taken"), ("summer", "winter"),
    ("weekdays", "weekends"), ("morning", "evening"), ("day", "night"), ("until", "since"),
)  # fmt: skip
WORDS = {
    "Who": ("When", "Where", "Why"), "When": ("Where", "Who", "How often"),
    "Where": ("When", "Who", "Why"), "How many": ("How long", "Who"),
    "How long": ("How often", "How many", "How far"), "How much": ("How long", "When"),
    "How often": ("How long", "When"), "Why": ("When", "Where", "Who"),
    "Which": ("How many",), "What": ("Who", "When"),
}  # fmt: skip
"""Question words that ask for something of another kind."""


@dataclass(frozen=True)
class Row:
    """A prompt after its passage, and what is to be written; ``kind`` is for the curve."""

    prompt: str
    answer: str
    kind: str


@dataclass
class Drawn:
    """A passage with its facts, and of each what is asked that it does not answer."""

    context: str
    facts: list[Fact]
    wrong: list[list[str]] = field(default_factory=list)
    """Of each fact: near misses and exchanged names."""


def rows(drawn: Drawn, rng: Random) -> list[Row]:
    """The rows of a passage, with the passage before each of them."""
    title = drawn.context.partition("\n")[0] if "\n" in drawn.context else ""
    order = [n for n, fact in enumerate(drawn.facts) if _place(fact) is not None]
    rng.shuffle(order)
    found: list[Row] = []
    for n in order[:MOST]:
        fact = drawn.facts[n]
        found += _wishes(fact, drawn.context, title, rng)
        found += _checks(drawn, n, rng)
    before = TEMPLATE.context(drawn.context, ())
    return [Row(TEMPLATE.question(row.prompt, before), row.answer, row.kind) for row in found]


def distance(question: str, sentence: str) -> float:
    """The share of a question's content words that the sentence does not have."""
    asked, said = set(content(question)), set(content(sentence))
    return len(asked - said) / max(1, len(asked))


def _place(fact: Fact) -> tuple[int, int] | None:
    start = fact.sentence.find(fact.answer)
    whole = fact.answer.lower() == fact.sentence.lower().rstrip(".")
    return None if start < 0 or whole else (start, start + len(fact.answer))


def _fitting(fact: Fact, context: str) -> tuple[list[str], list[str]]:
    """The questions that stand by themselves, and those of somebody in need."""
    asked = [one for one in dict.fromkeys(fact.questions) if fact.answer.lower() not in one.lower()]
    return [one for one in asked if is_plain(one, context)], [one for one in asked if is_need(one)]


def _wishes(fact: Fact, context: str, title: str, rng: Random) -> list[Row]:
    start, end = _place(fact) or (0, 0)
    plain, need = _fitting(fact, context)
    rng.shuffle(plain)
    far = [one for one in plain if 1 - distance(one, fact.sentence) <= DISTANT]
    near = [one for one in plain if one not in far]
    rest = f"{fact.sentence} {title}".replace(fact.answer, " ")
    around = context.replace(fact.sentence, " ").replace(fact.answer, " ")

    def row(wish: str, question: str, kind: str, names: Sequence[str]) -> Row:
        asked = form.instruction(fact.sentence, start, end, names=names, wish=wish)
        return Row(asked, question, kind)

    def some(question: str, text: str, most: int) -> list[str]:
        names = shared(question, text)
        return rng.sample(names, min(len(names), rng.randint(1, most)))

    made = [row(form.PLAIN, one, "near", some(one, rest, 4) if rng.random() < NAMED else [])
            for one in near[:1]]  # fmt: skip
    made += [row(form.DISTANT, one, "distant", some(one, around, 2) if rng.random() < NAMED else [])
             for one in far[:2]]  # fmt: skip
    return made + [row(form.NEED, one, "need", []) for one in need[:1]]


def _checks(drawn: Drawn, number: int, rng: Random) -> list[Row]:
    """Questions that the fact answers, and as many that it does not."""
    fact = drawn.facts[number]
    start, end = _place(fact) or (0, 0)
    plain, need = _fitting(fact, drawn.context)
    good = rng.sample([*plain, *need], min(1, len(plain) + len(need)))
    if not good:
        return []
    others = [one for one in drawn.facts if one.answer != fact.answer and one.questions]
    beside = [one for one in others if one.sentence == fact.sentence]
    bad: list[str] = []
    for _ in good:
        kind = rng.random()
        if kind < 0.35 and beside:
            bad.append(rng.choice(rng.choice(beside).questions))
        elif kind < 0.60 and drawn.wrong and drawn.wrong[number]:
            bad.append(rng.choice(drawn.wrong[number]))
        elif kind < 0.80 and (turned := _turned(rng.choice(good), rng)):
            bad.append(turned)
        elif others:
            bad.append(rng.choice(rng.choice(others).questions))
    right = {one.lower() for one in fact.questions}
    return [
        Row(form.check(fact.sentence, start, end, question), answer, "check")
        for questions, answer in ((good, form.YES), (bad, form.NO))
        for question in questions
        if answer == form.YES or question.lower() not in right
    ]


def _turned(question: str, rng: Random) -> str | None:
    """The question with a word turned into its opposite, or that asks for another kind."""
    turns: list[str] = []
    for pair in OPPOSITES:
        for one, other in (pair, pair[::-1]):
            if re.search(rf"\b{one}\b", question):
                turns.append(re.sub(rf"\b{one}\b", other, question, count=1))
    first = next((word for word in WORDS if question.startswith(f"{word} ")), None)
    if first:
        turns.append(rng.choice(WORDS[first]) + question[len(first) :])
    verb = re.search(r"\b(?:is|are|can|must|may|does|do|was|were|should) (?=[a-z])", question)
    if verb and rng.random() < 0.3:
        turns.append(f"{question[: verb.end()]}not {question[verb.end() :]}")
    return rng.choice(turns) if turns else None


def page_drawn(rng: Random, *, held_out: bool = False) -> Drawn:
    """Two to six sentences of a page."""
    page = rng.choice(pages(held_out))
    organisation = make_organisation(rng).name
    fill = Filling(page, organisation, rng)
    count = min(rng.randint(2, 6), len(page.lines))
    first = rng.randint(0, len(page.lines) - count)
    chosen = page.lines[first : first + count]
    text = " ".join(fill(line.text) for line in chosen)
    facts: list[Fact] = []
    wrong: list[list[str]] = []
    for line in chosen:
        for one in line.asked:
            questions = [fill(text) for text in one.questions]
            facts.append(Fact(fill(line.text), fill.inside(one.answer), questions))
            exchanged = [mistaken(text, fill, fill(line.text)) for text in one.questions]
            wrong.append([*(fill(text) for text in line.near), *(one for one in exchanged if one)])
    return Drawn(headed(fill(page.title), text, organisation, rng), facts, wrong)


def drawn(corpus: Corpus, rng: Random) -> Drawn | None:
    """A passage of one of the kinds; None where what was drawn does not serve."""
    kind = rng.choices(list(SHARES), list(SHARES.values()))[0]
    if kind == "page":
        return page_drawn(rng)
    made: tuple[str, list[Fact]] | None
    if kind == "organisation":
        made = organisation_facts(rng)
    elif kind == "table":
        made = table_facts(rng)
    else:
        made = country_facts(corpus, rng)
    return Drawn(*made) if made else None
