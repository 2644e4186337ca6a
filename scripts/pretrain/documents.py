"""Documents about one fictional organisation: facts in sentences, in many shapes of page.

Paragraphs, titles, bullet lists, e-mails, notices, tables of values, pages of questions with
answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from .grammar import capital, expand
from .names import stem, surname, town
from .relations import Fact, Slots, ask, state
from .wordlists import sections

LEADS = sections("frames.txt")["leads"]
OPENERS = sections("frames.txt")["openers"]
JOINTS = ("; ", ", and ", ", while ", ", whereas ", " and ")
HEADINGS = sections("frames.txt")["headings"]


@dataclass(frozen=True)
class Organisation:
    """A fictional organisation: its full name and what it is."""

    name: str
    kind: str

    def mention(self, rng: Random) -> str:
        """The name, or what it is."""
        return self.name if rng.random() < 0.5 else f"the {self.kind}"


@dataclass(frozen=True)
class Passage:
    """A document about one organisation and the facts that it states."""

    text: str
    facts: list[Fact]
    organisation: Organisation


def make_organisation(rng: Random) -> Organisation:
    """A new organisation with a made-up name."""
    kind = expand("kind", rng)
    titled = " ".join(word.capitalize() for word in kind.split())
    name = rng.choice(
        (
            f"{town(rng)} {titled}",
            f"{stem(rng)} {titled}",
            f"{surname(rng)} {titled}",
            f"the {titled} of {town(rng)}",
            f"{stem(rng)} {expand('trade', rng)}",
            f"the {stem(rng)} {titled}",
            f"{town(rng)} {titled}",
            expand("PRODUCT", rng),
        )
    )
    return Organisation(name, kind)


def _sentences(
    facts: list[Fact], organisation: Organisation, rng: Random, opened: float
) -> list[str]:
    """The facts in sentences, some with an opening phrase, some two by two in one sentence."""
    sentences: list[str] = []
    waiting = list(facts)
    while waiting:
        fact = waiting.pop(0)
        fact.owner = organisation.mention(rng)
        if rng.random() < opened:
            opener = rng.choice(OPENERS) + " "
            filled = opener.format_map(_names(organisation, rng))
            sentence = filled + state(fact, rng, inside=True)
        else:
            sentence = state(fact, rng)
        if waiting and rng.random() < 0.15 and sentence.endswith("."):
            other = waiting.pop(0)
            other.owner = f"the {organisation.kind}"
            sentence = sentence[:-1] + rng.choice(JOINTS) + state(other, rng, inside=True)
        sentences.append(capital(sentence))
    return sentences


def _names(organisation: Organisation, rng: Random) -> Slots:
    mention = organisation.name if rng.random() < 0.7 else f"the {organisation.kind}"
    return Slots({"o": mention, "k": organisation.kind}, rng)


def _paragraph(lines: list[str], organisation: Organisation, rng: Random) -> str:
    return " ".join(lines)


def _titled(lines: list[str], organisation: Organisation, rng: Random) -> str:
    title = capital(rng.choice(HEADINGS).format_map(_names(organisation, rng)))
    mark = rng.choice(("{}\n\n", "# {}\n\n", "## {}\n", "{}\n", "{}: ", "**{}**\n"))
    return mark.format(title) + " ".join(lines)


def _bullets(lines: list[str], organisation: Organisation, rng: Random) -> str:
    mark = rng.choice(("- ", "* ", "• ", "{n}. ", "({n}) "))
    listed = "\n".join(mark.format(n=number) + line for number, line in enumerate(lines, 1))
    head = rng.choice(
        (
            "",
            capital(organisation.name) + "\n",
            capital(rng.choice(HEADINGS).format_map(_names(organisation, rng))) + ":\n",
        )
    )
    return head + listed


def _mail(lines: list[str], organisation: Organisation, rng: Random) -> str:
    greeting = rng.choice(
        (
            "Dear all,",
            "Dear members,",
            "Hello everyone,",
            f"Dear {expand('PERSON', rng)},",
            "Dear colleagues,",
        )
    )
    end = rng.choice(("Best regards", "Kind regards", "Many thanks", "Yours", "See you soon"))
    return f"{greeting}\n\n{' '.join(lines)}\n\n{end}\n{expand('PERSON', rng)}, {organisation.name}"


def _notice(lines: list[str], organisation: Organisation, rng: Random) -> str:
    head = rng.choice(
        (
            "NOTICE",
            "Notice to {people}",
            "Important",
            "For {people} of {o}",
            "Memo",
            "News from {o}",
            "Update, {date}",
        )
    )
    return (
        head.format_map(_names(organisation, rng))
        + rng.choice(("\n", "\n\n", ": "))
        + "\n".join(lines)
    )


def _paragraphs(lines: list[str], organisation: Organisation, rng: Random) -> str:
    cut = rng.randint(1, len(lines))
    return "\n\n".join(" ".join(part) for part in (lines[:cut], lines[cut:]) if part)


Shape = Callable[[list[str], Organisation, Random], str]
SHAPES: tuple[Shape, ...] = (
    _paragraph,
    _paragraph,
    _paragraph,
    _titled,
    _titled,
    _bullets,
    _mail,
    _notice,
    _paragraphs,
)


def _asked_and_told(facts: list[Fact], organisation: Organisation, rng: Random) -> str:
    """A page of questions with their answers, or a table of noun phrases with their values."""
    if rng.random() < 0.5:
        entries = []
        for fact in facts:
            fact.owner, fact.answer = organisation.mention(rng), fact.value
            slots = {"x": fact.thing, "o": fact.owner}
            noun = rng.choice(fact.relation.nouns).format(**slots)
            entries.append(f"{capital(noun)}: {fact.value}")
        return f"{capital(organisation.name)}\n" + "\n".join(entries)
    before, after = rng.choice(
        (("Q: ", "\nA: "), ("", "\n"), ("", " "), ("Question: ", "\nAnswer: "), ("**", "**\n"))
    )
    entries = []
    for fact in facts:
        fact.owner = organisation.mention(rng)
        entries.append(before + ask(fact, rng) + after + state(fact, rng))
    return "\n\n".join(entries)


def make_passage(
    organisation: Organisation, facts: list[Fact], rng: Random, *, plain: bool = False
) -> Passage:
    """A document that states the facts; `plain` leaves out openings, fillers and shapes."""
    if not plain and rng.random() < 0.15:
        return Passage(_asked_and_told(facts, organisation, rng), facts, organisation)
    lines = _sentences(facts, organisation, rng, 0.05 if plain else 0.25)
    if rng.random() < (0.3 if plain else 0.6):
        lines.insert(0, capital(rng.choice(LEADS).format_map(_names(organisation, rng))))
    if not plain:
        for _ in range(rng.choice((0, 0, 1, 1, 2))):
            lines.insert(rng.randint(1, len(lines)), expand("filler", rng))
    shape = _paragraph if plain else rng.choice(SHAPES)
    return Passage(shape(lines, organisation, rng), facts, organisation)
