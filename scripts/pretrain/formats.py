"""Small tasks with a label or a fixed form as the response, so that a later LoRA learns a house
format quickly.

The context is a made-up message; the instruction says what to make of it. The demo's messages,
labels and forms are written elsewhere and are not known here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

from .documents import make_organisation, make_passage
from .grammar import capital, expand
from .organisations import make_facts
from .samples import Question, Task

FIELDS = (
    ("name", "PERSON"),
    ("date", "DATE"),
    ("time", "CLOCK"),
    ("room", "ROOM"),
    ("price", "AMOUNT"),
    ("town", "TOWN"),
    ("phone", "PHONE"),
    ("code", "CODE"),
    ("company", "company"),
    ("colour", "colour"),
    ("weight", "WEIGHT"),
    ("language", "LANGUAGE"),
    ("course", "course"),
    ("event", "event"),
    ("e-mail", "EMAIL"),
    ("material", "material"),
)
FORMS = (
    "{a}: {x}; {b}: {y}",
    "{x} | {y}",
    "[{x}] {y}",
    "{x} / {y}",
    "<{x}> <{y}>",
    "{x} - {y}",
    "{a}={x}, {b}={y}",
    "* {x}\n* {y}",
)
KINDS = (
    ("a person", "PERSON"),
    ("a date", "DATE"),
    ("a time", "CLOCK"),
    ("a price", "AMOUNT"),
    ("a town", "TOWN"),
    ("a colour", "colour"),
    ("food", "food"),
    ("an animal", "animal"),
    ("a duration", "DURATION"),
    ("a code", "CODE"),
    ("a material", "material"),
    ("an event", "event"),
    ("clothing", "clothes"),
    ("a job", "role"),
    ("a language", "LANGUAGE"),
)


def _record(rng: Random) -> dict[str, str]:
    chosen = rng.sample(FIELDS, rng.randint(3, 5))
    return {name: expand(symbol, rng) for name, symbol in chosen}


def _written(record: dict[str, str], rng: Random) -> str:
    """The record as lines, or as a sentence each."""
    if rng.random() < 0.5:
        return "\n".join(f"{capital(name)}: {value}" for name, value in record.items())
    form = rng.choice(
        ("The {n} is {v}.", "{N}: {v}.", "As {n} we noted {v}.", "The {n} was given as {v}.")
    )
    return " ".join(form.format(n=name, N=capital(name), v=value) for name, value in record.items())


def field_task(rng: Random) -> Task:
    """One field of a record, several times."""
    record = _record(rng)
    forms = (
        "Give the {n}.",
        "Copy the {n}.",
        "{N}?",
        "Only the {n}, please.",
        "Extract the {n}.",
        "Write down the {n}.",
    )
    names = rng.sample(list(record), len(record))
    questions = [
        Question(rng.choice(forms).format(n=name, N=capital(name)), record[name]) for name in names
    ]
    return Task(questions, own=_written(record, rng))


def form_task(rng: Random) -> Task:
    """Two fields of a record in a form that an example in the instruction shows."""
    record = _record(rng)
    questions = []
    for _ in range(3):
        first, second = rng.sample(list(record), 2)
        form = rng.choice(FORMS)
        shown = form.format(a=first, b=second, x=first.upper(), y=second.upper())
        ask = rng.choice(
            (
                "Write {f} and {s} as: {e}",
                "Form: {e}",
                "Put {f} and {s} into this form: {e}",
                "Answer like this: {e}",
            )
        )
        questions.append(
            Question(
                ask.format(f=first, s=second, e=shown),
                form.format(a=first, b=second, x=record[first], y=record[second]),
            )
        )
    if rng.random() < 0.3:
        name = rng.choice(list(record))
        questions.append(
            Question(
                f"Write the {name} as JSON.", json.dumps({name: record[name]}, ensure_ascii=False)
            )
        )
    if rng.random() < 0.3:
        name = rng.choice(list(record))
        questions.append(Question(f"Write the {name} in capital letters.", record[name].upper()))
    return Task(questions, own=_written(record, rng))


def kind_task(rng: Random) -> Task:
    """What kind of thing a text names, chosen from labels in the instruction."""
    options = rng.sample(KINDS, rng.randint(2, 5))
    listed = ", ".join(label for label, _ in options)
    questions = []
    for _ in range(4):
        label, symbol = rng.choice(options)
        ask = rng.choice(
            (
                'Which kind is "{t}"? Choose from: {l}.',
                'Classify "{t}" as one of: {l}.',
                "{t}: {l}?",
            )
        )
        questions.append(Question(ask.format(t=expand(symbol, rng), l=listed), label))
    return Task(questions)


def topic_task(rng: Random) -> Task:
    """A text about an organisation: what kind of organisation, or whether a word stands in it."""
    organisation = make_organisation(rng)
    passage = make_passage(
        organisation, make_facts(organisation, rng.randint(2, 4), rng, set()), rng
    )
    text = f"{capital(organisation.name)} is a {organisation.kind}. {passage.text}"
    other = expand("kind", rng)
    inside = rng.choice(passage.facts).answer
    outside = expand("object", rng)
    questions = [
        Question("What kind of organisation is this text about?", organisation.kind),
        Question(f"Is this text about a {organisation.kind} or a {other}?", organisation.kind),
        Question(f'Does the text mention "{inside}"? Answer yes or no.', "yes"),
        Question(
            f'Does the text mention "{outside}"? Answer yes or no.',
            "yes" if outside in text else "no",
        ),
        Question("Which organisation is described?", capital(organisation.name)),
    ]
    rng.shuffle(questions)
    return Task(questions[:4], own=text)


FORMAT_TASKS: tuple[Callable[[Random], Task], ...] = (
    field_task,
    field_task,
    form_task,
    kind_task,
    topic_task,
)


def format_task(rng: Random) -> Task:
    """Any of the tasks of this module."""
    return rng.choice(FORMAT_TASKS)(rng)
