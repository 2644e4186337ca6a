"""The relations of the generator: what can be said and asked about a fictional organisation.

A block of `words/relations_*.txt` reads

    = name | x SYMBOL | v SYMBOL     the thing it is about (-: the organisation itself), its value
    n noun phrase | noun phrase      what is asked for, as a noun phrase: put into many frames
    i clause | clause                the same as an indirect question
    s sentence                       one way to state the fact
    q question                       one way to ask for it

with {x} the thing, {v} the value, {w} a value that is not the answer, {o} the organisation; {X}
{V} {O} the same with a capital letter; {person}, {year}, {room}, ... any other symbol of the
grammar, made up on the spot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from random import Random

from .grammar import another, capital, expand
from .wordlists import WORDS, phrases, sections

NOUN_WRAPPERS = sections("frames.txt")["noun_wrappers"]
CLAUSE_WRAPPERS = sections("frames.txt")["clause_wrappers"]
DECORATIONS = sections("frames.txt")["decorations"]


@dataclass(frozen=True)
class Relation:
    """One kind of fact, with the ways to state it and to ask for it."""

    name: str
    subject: str
    value: str
    nouns: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


@dataclass
class Fact:
    """A fact of one organisation: a relation with its thing and its value."""

    relation: Relation
    thing: str
    value: str
    owner: str
    answer: str = ""
    slots: dict[str, str] = field(default_factory=dict)


class Slots(dict[str, str]):
    """The slots of a template; one that is missing is made up by the grammar."""

    def __init__(self, given: dict[str, str], rng: Random) -> None:
        super().__init__(given)
        self.rng = rng

    def __missing__(self, key: str) -> str:
        if key.lower() in self and key.isupper():
            return capital(self[key.lower()])
        return expand(key if key in phrases() else key.upper(), self.rng)


def _read(name: str) -> list[Relation]:
    parsed: list[Relation] = []
    parts: dict[str, tuple[str, ...]] = {}
    head = ["", "", ""]

    def close() -> None:
        if head[0]:
            parsed.append(
                Relation(
                    head[0],
                    head[1],
                    head[2],
                    parts.get("n", ()),
                    parts.get("i", ()),
                    parts.get("s", ()),
                    parts.get("q", ()),
                )
            )

    for line in (WORDS / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("= "):
            close()
            title, thing, value = (part.strip() for part in line[2:].split("|"))
            head, parts = (
                [title, thing.removeprefix("x ").strip(" -"), value.removeprefix("v ").strip()],
                {},
            )
        elif line[:2] in ("n ", "i "):
            parts[line[0]] = tuple(part.strip() for part in line[2:].split("|"))
        elif line[:2] in ("s ", "q "):
            parts[line[0]] = (*parts.get(line[0], ()), line[2:].strip())
    close()
    return parsed


@cache
def relations() -> tuple[Relation, ...]:
    """All relations, in the order of the files."""
    return tuple(
        relation for path in sorted(WORDS.glob("relations_*.txt")) for relation in _read(path.name)
    )


def make_fact(relation: Relation, owner: str, rng: Random, taken: set[str]) -> Fact:
    """A new fact about a thing that is not in `taken`, which it joins."""
    thing = another(relation.subject, rng, taken) if relation.subject else ""
    taken.add(thing)
    value = _value(relation, rng, set())
    return Fact(relation, thing, value, owner)


def _value(relation: Relation, rng: Random, taken: set[str]) -> str:
    symbol = relation.value if relation.value in phrases() else relation.value.upper()
    return another(symbol, rng, taken)


def lower_start(template: str) -> str:
    """The template as it reads inside a sentence: its first letter small, unless of a name."""
    if template.startswith("{") and template[1:2].isupper() and template[2:3] == "}":
        return "{" + template[1].lower() + template[2:]
    return template[:1].lower() + template[1:] if not template.startswith("I ") else template


def state(fact: Fact, rng: Random, *, inside: bool = False) -> str:
    """One sentence that states the fact; `fact.answer` becomes the value as the sentence has it."""
    template = rng.choice(fact.relation.sentences)
    if inside:
        template = lower_start(template)
    slots = Slots({"x": fact.thing, "v": fact.value, "o": fact.owner}, rng)
    if "{w}" in template:
        slots["w"] = _value(fact.relation, rng, {fact.value})
    sentence = template.format_map(slots)
    fact.answer = capital(fact.value) if "{V}" in template else fact.value
    return sentence


def ask(fact: Fact, rng: Random, *, thing: str | None = None, owner: str | None = None) -> str:
    """One question for the fact (or for the same relation of another `thing` or `owner`)."""
    relation = fact.relation
    slots = Slots({"x": fact.thing if thing is None else thing, "o": owner or fact.owner}, rng)
    draw = rng.random()
    if draw < 0.2 and relation.nouns:
        noun = rng.choice(relation.nouns).format_map(slots)
        return rng.choice(NOUN_WRAPPERS).format(n=noun, N=capital(noun))
    if draw < 0.38 and relation.clauses:
        return rng.choice(CLAUSE_WRAPPERS).format(i=rng.choice(relation.clauses).format_map(slots))
    template = rng.choice(relation.questions)
    if draw < 0.5:
        whole = template.format_map(slots)
        return rng.choice(DECORATIONS).format(q=lower_start(template).format_map(slots), Q=whole)
    return template.format_map(slots)
