"""Tasks about fictional organisations: facts, documents, questions, and questions without an
answer.

Every answer stands word for word in a passage. Questions without an answer are near misses: the
same relation of another thing or organisation, or a relation that no passage mentions.
"""

from __future__ import annotations

from random import Random

from .documents import Organisation, Passage, make_organisation, make_passage
from .grammar import capital
from .relations import Fact, Relation, ask, make_fact, relations
from .samples import REFUSAL, Question, Task


def make_facts(
    organisation: Organisation, number: int, rng: Random, known: set[tuple[str, str]]
) -> list[Fact]:
    """`number` new facts, none about a relation and a thing in `known`, which they join.

    Now and then two facts share a relation (two prices), so that reading has to discriminate.
    """
    facts: list[Fact] = []
    things: set[str] = set()
    while len(facts) < number:
        relation = rng.choice(relations())
        if facts and rng.random() < 0.25 and facts[-1].relation.subject:
            relation = facts[-1].relation
        fact = make_fact(relation, organisation.name, rng, things)
        if (relation.name, fact.thing) not in known:
            known.add((relation.name, fact.thing))
            facts.append(fact)
    return facts


def answerable(passage: Passage, rng: Random, *, named: bool) -> list[Question]:
    """A question for every fact of the passage; `named`: with the organisation's full name."""
    questions = []
    for fact in passage.facts:
        questions.append(
            Question(question_text(fact, passage.organisation, rng, named=named), fact.answer)
        )
    rng.shuffle(questions)
    return questions


def question_text(
    fact: Fact, organisation: Organisation, rng: Random, *, named: bool, thing: str | None = None
) -> str:
    """A question for a fact; a name that has to be in it and is not goes before or after it."""
    owner = (
        organisation.name if named else rng.choice((organisation.name, f"the {organisation.kind}"))
    )
    text = ask(fact, rng, thing=thing, owner=owner)
    if named and organisation.name not in text and capital(organisation.name) not in text:
        start = rng.choice(("At {o}: ", "About {o}: ", "{o}: ", "This is about {o}. ")).format(
            o=organisation.name
        )
        text = (
            capital(start) + text
            if rng.random() < 0.6 or text[-1] not in "?."
            else f"{text[:-1]} at {organisation.name}{text[-1]}"
        )
    if rng.random() < 0.04:
        text = text.lower().rstrip("?.") if rng.random() < 0.3 else text.rstrip("?.")
    return text


def unanswerable(passage: Passage, rng: Random, known: set[tuple[str, str]]) -> Question:
    """A question that no passage answers: about another thing, or another relation."""
    fact = rng.choice(passage.facts)
    relation: Relation = fact.relation
    if not relation.subject or rng.random() < 0.4:
        same = [
            other
            for other in relations()
            if other.subject == relation.subject and other.name != relation.name
        ]
        relation = rng.choice(same if same and rng.random() < 0.6 else relations())
    for _ in range(50):
        asked = make_fact(relation, passage.organisation.name, rng, set())
        if (
            relation.subject == fact.relation.subject
            and relation.name != fact.relation.name
            and relation.subject
        ):
            asked.thing = fact.thing
        if (relation.name, asked.thing) not in known:
            break
        relation = rng.choice(relations())
    return Question(question_text(asked, passage.organisation, rng, named=False), REFUSAL)


def reading_task(
    rng: Random, passages: int = 1, *, plain: bool = False, refusals: float = 0.12, most: int = 8
) -> Task:
    """A task of one or several organisations: passages, and questions on any of them.

    `refusals`: the share of questions without an answer; `most`: how many questions at most.
    """
    known: set[tuple[str, str]] = set()
    home = make_organisation(rng)
    several = passages > 1 and rng.random() < 0.4
    made: list[Passage] = []
    for number in range(passages):
        organisation = make_organisation(rng) if several and number else home
        facts = make_facts(
            organisation, rng.randint(2, 4) if plain else rng.randint(2, 6), rng, known
        )
        if several and number and rng.random() < 0.5:
            facts += _mirrored(made[0].facts, organisation, rng)
        passage = make_passage(organisation, facts, rng, plain=plain)
        if several and organisation.name.lower() not in passage.text.lower():
            passage = Passage(f"{capital(organisation.name)}\n{passage.text}", facts, organisation)
        made.append(passage)
    questions: list[Question] = []
    for passage in made:
        named = several or rng.random() < 0.25
        asked = answerable(passage, rng, named=named)
        questions += [
            unanswerable(passage, rng, known) if rng.random() < refusals else question
            for question in asked
        ]
    rng.shuffle(questions)
    rng.shuffle(made)
    return Task(questions[:most], tuple(passage.text for passage in made))


def _mirrored(facts: list[Fact], organisation: Organisation, rng: Random) -> list[Fact]:
    """A fact again, with another value, for another organisation: its name tells them apart."""
    fact = rng.choice(facts)
    other = make_fact(fact.relation, organisation.name, rng, set())
    other.thing = fact.thing
    return [other] if other.value != fact.value else []
