"""The reading tasks turned round: a passage and a fact in it, and the questions that ask for it.

A question is of use here if it stands by itself: it begins with a question word, has no pronoun
that only the passage explains, and names something that the passage or its title names. What is
said in the first person is of use too, and is asked for in other words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from ragtune.questions.form import OTHER, OTHER_NEED, instruction
from ragtune.questions.stems import content

from .corpus import Corpus, sentences
from .documents import make_organisation, make_passage
from .formats import FIELDS
from .grammar import capital, expand
from .organisations import answerable, make_facts, question_text
from .pages import Filling, pages
from .reading import _facts
from .samples import Question, Task

ASKS = re.compile(
    r"^(?:(?:At|By|For|From|In|Into|Of|On|Out of|To|Under|Up to|Until|Since|With|After|Against|"
    r"Over|Through|Within|Before|During|About|Because of|Beside|Besides|Apart from|As|Between) "
    r"(?:what|which|whom|whose|how|when|where)|Who|Whom|Whose|What|Which|When|Where|Why|How)\b"
)
LOOSE = re.compile(
    r"\b(?:it|they|them|he|she|him|this|these|those|there|then|here|such|so|else|again|other|the "
    r"same|the one|the thing|the place|the text|passage|the former|the latter)\b",
    re.I,
)
"""Words that point to something that only the passage tells."""
FIRST_PERSON = re.compile(r"\b(?:I|my|me|we|our|us|you|your|mine)\b", re.I)
NAMED = 0.9
"""How often the instruction says what the question names."""
NEAR = 2
"""Words of its sentence or of the title that a question has which is near to them."""
NEEDED = 0.5
"""How often a fact that has a question in the first person is asked for by one, too."""


@dataclass(frozen=True)
class Fact:
    """A stretch of a sentence and the ways to ask for it."""

    sentence: str
    answer: str
    questions: Sequence[str]

    def near(self, title: str) -> Fact:
        """Only with the questions that name what the sentence or the title names."""
        rest = f"{title} . {self.sentence.replace(self.answer, ' ')}"
        found = [one for one in self.questions if len(shared(one, rest)) >= NEAR]
        return Fact(self.sentence, self.answer, found)


def is_plain(question: str, passage: str) -> bool:
    """Whether a question stands by itself beside the documents."""
    return bool(
        ASKS.match(question)
        and question.endswith("?")
        and question.count("?") == 1
        and ". " not in question
        and not LOOSE.search(question)
        and not FIRST_PERSON.search(question)
        and shared(question, passage)
    )


def is_need(question: str) -> bool:
    """Whether a question is of somebody in a situation that it tells of."""
    return bool(
        FIRST_PERSON.search(question)
        and question.endswith("?")
        and len(question.split()) >= 7
        and not LOOSE.search(question)
    )


def shared(question: str, passage: str) -> list[str]:
    """The content words that a question has too, as the passage writes them."""
    asked = set(content(question))
    found: dict[str, str] = {}
    for word in re.findall(r"\w[\w'\u2019-]*\w|\w", passage):
        key = next(iter(content(word)), "")
        if key in asked and key not in found:
            found[key] = word
    return list(found.values())


def turned(context: str, facts: Sequence[Fact], rng: Random, most: int) -> Task | None:
    """A task that asks for questions: a fact after the other, each in one or two wordings."""
    chosen = list(facts)
    rng.shuffle(chosen)
    asked: list[Question] = []
    for fact in chosen:
        if len(asked) >= most:
            break
        asked += _wordings(context, fact, rng)
    return Task(asked, own=context) if asked else None


def _wordings(context: str, fact: Fact, rng: Random) -> list[Question]:
    start = fact.sentence.find(fact.answer)
    if start < 0 or fact.answer.lower() == fact.sentence.lower().rstrip("."):
        return []
    fitting = [one for one in fact.questions if fact.answer.lower() not in one.lower()]
    plain = [one for one in dict.fromkeys(fitting) if is_plain(one, context)]
    need = [one for one in dict.fromkeys(fitting) if is_need(one)]
    rng.shuffle(need)
    title = context.partition("\n")[0] if "\n" in context else ""
    rest = f"{fact.sentence} {title}".replace(fact.answer, " ")
    plain.sort(key=lambda one: (-min(2, len(shared(one, rest))), rng.random()))
    end = start + len(fact.answer)
    if need and (not plain or rng.random() < NEEDED / 2):
        first = instruction(fact.sentence, start, end, need=True)
        made = [Question(first, need[0])]
        return made + [Question(OTHER, one) for one in plain[:1]]
    if not plain:
        return []
    names = shared(plain[0], rest)
    names = rng.sample(names, min(len(names), rng.randint(1, 4))) if rng.random() < NAMED else []
    made = [Question(instruction(fact.sentence, start, end, names=names), plain[0])]
    made += [Question(OTHER, one) for one in plain[1:3]]
    if need and rng.random() < NEEDED:
        made.append(Question(OTHER_NEED, need[0]))
    return made


def _headed(title: str, text: str, organisation: str, rng: Random) -> str:
    """The text below its title, and now and then below the organisation's name or a heading."""
    owner = capital(organisation)
    head = rng.choice(
        (
            title,
            title,
            title,
            f"{owner}: {title}",
            f"{title} > {owner}",
            f"{owner} > {title}",
            owner,
        )
    )
    return f"{head}\n{text}" if rng.random() < 0.92 else text


def page_asked(
    rng: Random, most: int, *, near: bool = False, held_out: bool = False
) -> Task | None:
    """Some sentences of a page, and its questions; ``near``: no far-fetched ones."""
    page = rng.choice(pages(held_out))
    organisation = make_organisation(rng).name
    fill = Filling(page, organisation, rng)
    count = min(rng.randint(2, 6), len(page.lines))
    first = rng.randint(0, len(page.lines) - count)
    chosen = page.lines[first : first + count]
    text = " ".join(fill(line.text) for line in chosen)
    facts = [
        Fact(fill(line.text), fill.inside(one.answer), [fill(text) for text in one.questions])
        for line in chosen
        for one in line.asked
    ]
    if near:
        facts = [fact.near(fill(page.title)) for fact in facts]
    return turned(_headed(fill(page.title), text, organisation, rng), facts, rng, most)


def organisation_asked(rng: Random, most: int) -> Task | None:
    """Facts of a made-up organisation in sentences, lines or a list."""
    organisation = make_organisation(rng)
    known = make_facts(organisation, rng.randint(2, 5), rng, set())
    passage = make_passage(organisation, known, rng, plain=rng.random() < 0.3)
    answerable(passage, rng, named=False)
    lines = [part for line in passage.text.splitlines() for part in sentences(line)]
    facts: list[Fact] = []
    for fact in passage.facts:
        line = next((one for one in lines if fact.answer in one and fact.thing in one), None)
        if line is None or "?" in line:
            continue
        named = rng.random() < 0.4
        ways = [question_text(fact, organisation, rng, named=named) for _ in range(5)]
        facts.append(Fact(line, fact.answer, [one for one in ways if one[:1].isupper()]))
    text = _headed(capital(expand("event", rng)), passage.text, organisation.name, rng)
    return turned(text if rng.random() < 0.4 else passage.text, facts, rng, most)


def country_asked(corpus: Corpus, rng: Random, most: int) -> Task | None:
    """Lines of keys and values about a country of the Factbook."""
    country = rng.choice(corpus.countries)
    known = _facts(country)
    if len(known) < 8:
        return None
    forms = (
        "What is the {k} of {c}?",
        "What {k} does {c} have?",
        "Which {k} is given for {c}?",
        "What are the figures for {k} in {c}?",
    )
    chosen = rng.sample(known, rng.randint(3, 7))
    facts = []
    for key, value in chosen:
        name = key[:1].lower() + key[1:]
        form = rng.choice(forms[:3] if not re.search(r"\d", value) else forms)
        facts.append(Fact(f"{key}: {value}", value, [form.format(k=name, c=country.title)]))
    lines = "\n".join(fact.sentence for fact in facts)
    return turned(f"{country.title}\n{lines}", facts, rng, most)


ROWS = {
    "date": ("On which date is {x}?", "When does {x} take place?", "What is the date of {x}?"),
    "time": ("At what time is {x}?", "When does {x} begin?", "What time is given for {x}?"),
    "room": ("In which room is {x}?", "Where is {x} held?", "Which room is {x} in?"),
    "price": ("How much does {x} cost?", "What is the price of {x}?", "What does one pay for {x}?"),
    "town": ("In which town is {x}?", "Where does {x} take place?", "Which town is {x} in?"),
    "phone": ("Which number is called about {x}?", "What is the telephone number for {x}?"),
    "code": ("What is the code of {x}?", "Which code does {x} have?"),
    "company": ("Which company is responsible for {x}?", "Which firm provides {x}?"),
    "colour": ("What colour is {x} marked with?", "Which colour stands for {x}?"),
    "weight": ("How much does {x} weigh?", "What is the weight of {x}?"),
    "e-mail": ("Which e-mail address is used for {x}?", "Where are e-mails about {x} sent?"),
    "material": ("What is {x} made of?", "Which material is used for {x}?"),
    "name": ("Who is in charge of {x}?", "Who is responsible for {x}?"),
    "language": ("In which language is {x} given?", "Which language is used for {x}?"),
}  # fmt: skip


def table_asked(rng: Random, most: int) -> Task | None:
    """Rows of a table, each a line of `column: value | column: value`."""
    symbol, kind = rng.choice((("course", "Course"), ("event", "Event"), ("object", "Item"),
                               ("PRODUCT", "Product"), ("event", "Trip")))  # fmt: skip
    symbols = dict(FIELDS)
    columns = rng.sample(list(ROWS), rng.randint(2, 4))
    lines, facts = [], []
    for thing in dict.fromkeys(expand(symbol, rng) for _ in range(rng.randint(2, 5))):
        values = {name: expand(symbols[name], rng) for name in columns}
        cells = [f"{kind}: {thing}", *(f"{capital(name)}: {text}" for name, text in values.items())]
        line = " | ".join(cells)
        lines.append(line)
        named = thing if thing.startswith("the ") or symbol == "PRODUCT" else f"the {thing}"
        for name, value in values.items():
            ways = [form.format(x=named) for form in ROWS[name]]
            facts.append(Fact(line, value, ways))
    if len(facts) != len({fact.answer for fact in facts}):
        return None
    title = rng.choice(("List of {}s", "{}s this year", "Overview: {}s", "{}s and prices")).format(
        kind.lower()
    )
    return turned(f"{capital(title)}\n" + "\n".join(lines), facts, rng, most)
