"""Tasks made from natural text: reading comprehension, closed-book facts, extractive summaries.

Questions come from questions.py; what a passage must hold so that the answer stands in it word for
word is kept here.
"""

from __future__ import annotations

import re
from random import Random

from .corpus import Article, Corpus, cut
from .questions import ask_all, spans
from .samples import REFUSAL, Question, Task
from .wordlists import sections

FACT = re.compile(r"^([A-Za-z][A-Za-z ,()/-]{3,45}): (.{2,160})$")
VAGUE_KEYS = frozenset(
    [
        "total",
        "male",
        "female",
        "note",
        "land",
        "water",
        "name",
        "other",
        "country",
        "comparison",
        "improved",
        "unimproved",
        "Background",
    ]
)
MISTAKEN = 0.2
"""How often the questions on one of several passages become ones about another name or date."""
SUMMARY_ASKS = sections("frames.txt")["summary_asks"]
TITLE_ASKS = sections("frames.txt")["title_asks"]


def _passage(article: Article, rng: Random, shortest: int, longest: int) -> list[str]:
    """Neighbouring sentences of one of the article's paragraphs; empty after six vain tries."""
    paragraphs = article.prose()
    for _ in range(6):
        chosen = cut(rng.choice(paragraphs), rng, shortest, longest)
        if chosen:
            return chosen
    return []


def _render(chosen: list[str], title: str, titled: bool) -> str:
    return f"{title}\n{' '.join(chosen)}" if titled else " ".join(chosen)


def paragraph_task(  # noqa: PLR0917 - four numbers that read well in this order
    corpus: Corpus, rng: Random, shortest: int, longest: int, most: int, blanks: float
) -> Task | None:
    """One paragraph of natural text with questions on it."""
    article = rng.choice(corpus.readable)
    chosen = _passage(article, rng, shortest, longest)
    questions = ask_all(chosen, article.title, rng, most, blanks)
    if not questions:
        return None
    return Task(questions, (_render(chosen, article.title, rng.random() < 0.5),))


def _mistaken(question: Question, corpus: Corpus, rng: Random, text: str) -> Question | None:
    """The question about another name or date than the one that the text speaks of."""
    stated = [one for one in spans(question.text) if one.of(question.text) in text]
    if not stated or not question.text.endswith("?"):
        return None
    span = rng.choice(stated)
    elsewhere = " ".join(_passage(rng.choice(corpus.readable), rng, 35, 90))
    others = [one.of(elsewhere) for one in spans(elsewhere) if one.kind == span.kind]
    others = [one for one in others if one not in text]
    if not others:
        return None
    before, after = question.text[: span.start], question.text[span.end :]
    return Question(f"{before}{rng.choice(others)}{after}", REFUSAL)


def passages_task(
    corpus: Corpus, rng: Random, passages: int, blanks: float, refusals: float
) -> Task | None:
    """Several paragraphs with questions on any of them, or on one more that is left out."""
    home = rng.choice(corpus.readable)
    titled = rng.random() < 0.6
    texts: list[str] = []
    questions: list[Question] = []
    for number in range(passages + 1):
        article = home if number == 0 or rng.random() < 0.4 else rng.choice(corpus.readable)
        chosen = _passage(article, rng, 35, 90)
        text = _render(chosen, article.title, titled)
        if not chosen or text in texts:
            continue
        asked = ask_all(chosen, article.title, rng, 2, blanks)
        if number == passages:
            here = "\n".join(texts)
            asked = [
                Question(one.text, REFUSAL)
                for one in asked
                if one.answer not in here and rng.random() < refusals
            ]
        else:
            texts.append(text)
            if rng.random() < MISTAKEN:
                asked = [_mistaken(one, corpus, rng, text) or one for one in asked]
        questions += asked
    if not questions or not texts:
        return None
    rng.shuffle(texts)
    rng.shuffle(questions)
    return Task(questions[:5], tuple(texts))


def _facts(country: Article) -> list[tuple[str, str]]:
    """The short "key: value" lines of a country whose key occurs once, and its capital."""
    pairs: list[tuple[str, str]] = []
    keys: dict[str, int] = {}
    after_government = False
    for line in country.paragraphs:
        found = FACT.match(line)
        if not found:
            continue
        key, value = found.groups()
        if key == "name" and after_government:
            key = "capital"
        after_government = key == "Government type" or (after_government and key != "capital")
        keys[key] = keys.get(key, 0) + 1
        value = re.split(r" \(|; ", value)[0]
        if key.split(" ")[0] not in VAGUE_KEYS and len(value.split()) <= 14:
            pairs.append((key, value))
    return [(key, value) for key, value in pairs if keys[key] == 1]


def country_task(corpus: Corpus, rng: Random, *, open_book: bool) -> Task | None:
    """Questions on a country of the Factbook, with some of its lines as passage or from memory."""
    country = rng.choice(corpus.countries)
    facts = _facts(country)
    if len(facts) < 8:
        return None
    chosen = rng.sample(facts, min(len(facts), rng.randint(3, 8)))
    if not open_book:
        known = [
            pair
            for pair in facts
            if pair[0] in ("capital", "Location", "Government type", "Languages", "Religions")
        ]
        chosen = known + chosen[:2]
    forms = (
        "What is the {k} of {c}?",
        "{c}: {k}?",
        "Tell me the {k} of {c}.",
        "State the {k} of {c}.",
        "For {c}, what is the {k}?",
    )
    questions = [
        Question(rng.choice(forms).format(k=key[:1].lower() + key[1:], c=country.title), value)
        for key, value in chosen
    ]
    rng.shuffle(questions)
    if not open_book:
        return Task(questions[:6])
    lines = [f"{key}: {value}" for key, value in chosen]
    text = (
        f"{country.title}\n" + "\n".join(lines)
        if rng.random() < 0.5
        else f"{country.title}. " + ". ".join(lines) + "."
    )
    return Task(questions[:6], (text,))


def closed_book_task(corpus: Corpus, rng: Random) -> Task | None:
    """What an article says first about its title, from memory; or facts on a country."""
    if rng.random() < 0.5:
        return country_task(corpus, rng, open_book=False)
    article = rng.choice(corpus.readable)
    questions = ask_all([article.prose()[0][:400]], article.title, rng, 2, 0.0)
    return Task(questions) if questions else None


def summary_task(corpus: Corpus, rng: Random) -> Task | None:
    """The first sentence of an article's beginning as its summary, or its title as its subject."""
    article = rng.choice(corpus.readable)
    chosen = cut(article.prose()[0], rng, 30, 110)
    if len(chosen) < 2 or not article.prose()[0].startswith(chosen[0]):
        return None
    if rng.random() < 0.5:
        title = re.sub(r"\s*\(.*\)", "", article.title)
        return (
            Task([Question(rng.choice(TITLE_ASKS), title)], own=" ".join(chosen))
            if title in " ".join(chosen)
            else None
        )
    return Task([Question(rng.choice(SUMMARY_ASKS), chosen[0])], own=" ".join(chosen))
