"""Questions that people asked of a text, as facts: the stretch of a sentence that answers them.

Databricks Dolly 15k (CC BY-SA 3.0) has texts, mostly of Wikipedia, with a question in somebody's
own words and an answer. Of use here are questions that stand by themselves and that a stretch of
one sentence answers (stretches.py).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from ragtune.questions.facts import Fact, names_in
from ragtune.questions.form import instruction
from ragtune.questions.passages import Passage, Sentence
from ragtune.questions.reading import Reader
from ragtune.questions.rules import gives_away, is_no_question

from .asking import is_plain, shared
from .samples import Question, Sample, Task, prompts
from .stretches import by_kind, by_reading, by_words, keys

CATEGORIES = ("closed_qa", "information_extraction")
READ = 6
"""Sentences that the reader is shown."""
WORDS = 90
"""Words of a passage in training, at most: most of a sample is its passage."""
NAMED = 0.6
"""How often the instruction says what the question names; drafting does it two times in three."""
HELD_OUT = 0.08
"""The share of texts that are kept aside."""
Split = Callable[[str], list[str]]

_LEAD = re.compile(
    r"^(?:(?:given|using|based on|according to|from|per|in|with|considering|referring to|after "
    r"reading|reading|use|read)\b[^,?]*\b(?:paragraph|text|passage|information|article|reference|"
    r"context|description|document|excerpt|snippet|background|summary|section|content|data)s?\b"
    r"[^,?:]*[,:]|please(?: tell me)?,?|(?:can|could) you (?:please )?tell me|tell me|so,|and)\s+",
    re.I,
)
"""What people put before a question to say where its answer is."""
_TAIL = re.compile(
    r",? (?:according to|as per|in|from|based on|given|using|of) (?:the |this )?(?:(?:above|given|"
    r"provided|following|reference|below) )*(?:paragraph|passage|text|article|context|excerpt|"
    r"reference|information|document)s?(?: above| below| provided| given)?\s*\??$",
    re.I,
)
"""And behind it."""
_TOLD = re.compile(
    r"\b(?:paragraph|passage|(?:the|this) (?:text|article|context|author|list|table|story|section)|"
    r"excerpt|snippet|provided|mentioned|following|according|listed|comma|bullet\w*|separated?|"
    r"format|based on th\w+ )\b|^Given\b|"
    r"(?:,| and) (?:and )?(?:\w+ )?(?:how|what|who|when|where|which|why|whom)\b",
    re.I,
)
"""What speaks of the text, asks for a layout, or asks for two things."""
_OWN = re.compile(r"\b(?:his|her|hers|their|theirs|its)\b", re.I)
_THERE = re.compile(r"\b(is|are|was|were) there\b")
_HEAD = re.compile(
    r"^(?:(?:In|On|By|As|After|During) [^,]{3,40}, )?(?:The |An? )?(?P<name>[^,.;:()]{2,60}?)"
    r"(?: \(|,| (?:is|was|are|were|has|have|refers|means)\b)"
)
_NO_TITLE = re.compile(
    r"(?:In|On|At|By|As|For|From|Over|After|Before|Since|During|With|Most|Some|Many|All|There|"
    r"This|That|These|It|He|She|They|We|His|Her|Their|Its|Another|If|When|While|To|Although)\b"
)


@dataclass(frozen=True)
class Asked:
    """A question of a person, and the fact that it asks for; ``sentences`` are the whole text's."""

    question: str
    fact: Fact
    sentences: tuple[Sentence, ...]


def records(folder: Path) -> list[dict[str, str]]:
    """The records of Dolly that have a text and a question about it.

    Raises OSError where the folder has no ``databricks-dolly-15k.jsonl``.
    """
    lines = (folder / "databricks-dolly-15k.jsonl").read_text(encoding="utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [row for row in rows if row["category"] in CATEGORIES and row["context"].strip()]


def asked(
    rows: Sequence[dict[str, str]], split: Split, reader: Reader | None = None
) -> list[Asked]:
    """What is left of the records, each question once a text.

    Where what a person answered does not say which stretch it is, ``reader`` is asked.
    """
    found: dict[tuple[str, str], Asked] = {}
    open_: list[tuple[str, str, tuple[Sentence, ...]]] = []
    for row in rows:
        question, sentences = standing(row["instruction"], row["context"], split)
        if not question or is_listed(row["response"]):
            continue
        fact = by_words(question, row["response"], sentences) or by_kind(
            question, row["response"], sentences
        )
        if fact is None:
            open_.append((question, row["response"], sentences))
        elif one := _fitting(question, fact, sentences):
            found.setdefault((question.lower(), one.fact.answer), one)
    if reader is not None:
        read = reader.answer([(_block(one[2], one[0], one[1]), one[0]) for one in open_])
        for (question, response, sentences), answer in zip(open_, read, strict=True):
            fact = by_reading(question, response, sentences, answer)
            if fact and (one := _fitting(question, fact, sentences)):
                found.setdefault((question.lower(), one.fact.answer), one)
    return sorted(found.values(), key=lambda one: (one.question, one.fact.answer))


def _block(sentences: Sequence[Sentence], question: str, response: str) -> str:
    """The neighbouring sentences that say most of what both say, under their title."""
    told = keys(f"{question} {response}")
    starts = range(max(1, len(sentences) - READ + 1))
    texts = [" ".join(one.text for one in sentences[n : n + READ]) for n in starts]
    best = max(texts, key=lambda text: len(told & keys(text)))
    return f"{sentences[0].title}\n{best}" if sentences[0].title else best


def to_json(one: Asked) -> dict[str, Any]:
    """A question and its text, to be kept for a training that is stopped and gone on with."""
    fact = one.fact
    return {
        "question": one.question,
        "title": fact.sentence.title,
        "lines": [line.text for line in one.sentences],
        "fact": [fact.sentence.place, fact.start, fact.end, fact.kind],
    }


def from_json(row: dict[str, Any]) -> Asked:
    """What `to_json` gave."""
    lines = tuple(
        Sentence(text, "dolly", row["title"], "", n) for n, text in enumerate(row["lines"])
    )
    place, start, end, kind = row["fact"]
    passage = Passage(lines[place], lines[place].text)
    return Asked(row["question"], Fact(passage, start, end, kind), lines)


def apart(every: Sequence[Asked]) -> tuple[list[Asked], list[Asked]]:
    """Those to train on, and those of the texts that are kept aside, the same at each stage."""
    texts = sorted({one.sentences[0].text for one in every})
    Random("33/apart").shuffle(texts)
    aside = set(texts[: round(HELD_OUT * len(texts))])
    return (
        [one for one in every if one.sentences[0].text not in aside],
        [one for one in every if one.sentences[0].text in aside],
    )


def standing(question: str, text: str, split: Split) -> tuple[str, tuple[Sentence, ...]]:
    """A record's question as it is asked of documents, and the text's sentences.

    The question is empty where it cannot stand by itself.
    """
    question = plain(question)
    if not question or _TOLD.search(question) or _OWN.search(question):
        return "", ()
    sentences = tuple(_sentences(text, split))
    whole = " ".join(one.text for one in sentences)
    if not sentences or not is_plain(_THERE.sub(r"\1", question), f"{sentences[0].title} {whole}"):
        return "", ()
    return question, sentences


def _fitting(question: str, fact: Fact, sentences: tuple[Sentence, ...]) -> Asked | None:
    if is_no_question(question, fact) or gives_away(question, fact.answer):
        return None
    return Asked(question, fact, sentences)


def plain(question: str) -> str:
    """A question as it is asked of documents: without what says where its answer is.

    Empty where it is an instruction.
    """
    text = " ".join(question.split())
    for _ in range(2):
        text = _TAIL.sub("", _LEAD.sub("", text))
    text = text[:1].upper() + text[1:]
    text = text.rstrip(" .?!") + "?"
    return re.sub(r"\bi\b", "I", text)


def is_listed(response: str) -> bool:
    """Whether an answer is several lines."""
    return len([line for line in response.splitlines() if line.strip()]) > 1


def title_of(text: str) -> str:
    """What a text is about: its own first line, what its first sentence defines, or a name.

    Empty where none is said.
    """
    first, _, rest = text.strip().partition("\n")
    if rest and len(first.split()) <= 8 and first[-1:] not in ".!?:;,":
        return first.strip()
    found = _HEAD.match(re.sub(r"\[[^\]]*\]", "", first))
    name = found["name"].strip() if found else ""
    if name and len(name.split()) <= 6 and not _NO_TITLE.match(name):
        return name[:1].upper() + name[1:]
    names = Counter(text[start:end] for start, end in names_in(text))
    most = names.most_common(1)
    return most[0][0] if most and most[0][1] > 1 else ""


def _sentences(text: str, split: Split) -> Iterator[Sentence]:
    title = title_of(text)
    place = 0
    for block in text.splitlines():
        clean = re.sub(r"\[(?:\d+|citation needed|note \d+)\]", "", block).strip()
        if not clean or clean == title:
            continue
        for part in split(clean):
            if part.strip():
                yield Sentence(part.strip(), "dolly", title, "", place)
                place += 1


def sample(one: Asked, rng: Random) -> Sample:
    """The prompt of drafting with some of the sentences around, and the person's question."""
    fact, lines = one.fact, one.sentences
    around = _around(lines, fact.sentence.place, rng)
    passage = Passage(fact.sentence, " ".join(line.text for line in around))
    rest = f"{fact.sentence.text} {fact.sentence.title}".replace(fact.answer, " ")
    names = shared(one.question, rest)
    some = rng.sample(names, min(len(names), rng.randint(1, 3))) if rng.random() < NAMED else []
    told = instruction(fact.sentence.text, fact.start, fact.end, names=some)
    return prompts(Task([Question(told, one.question)], own=passage.shown))


def _around(lines: Sequence[Sentence], place: int, rng: Random) -> Sequence[Sentence]:
    """Up to six sentences with the one at ``place``, of ``WORDS`` words at most or it alone."""
    wanted = rng.randint(2, 6)
    first = last = place
    while last - first + 1 < wanted:
        sides = [side for side in (first - 1, last + 1) if 0 <= side < len(lines)]
        if not sides:
            break
        side = rng.choice(sides)
        count = sum(
            len(line.text.split()) for line in lines[min(first, side) : max(last, side) + 1]
        )
        if count > WORDS:
            break
        first, last = min(first, side), max(last, side)
    return lines[first : last + 1]
