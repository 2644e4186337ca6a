"""Questions made from single sentences of natural text, by rules on their surface.

A sentence with a date, a number or a name in it becomes a question for that span: by putting a
question word in the place of its subject, by moving its auxiliary ("was", "has"), by "did" and the
base form of its verb, or, where no rule fits, by leaving a blank. Pronouns at its start are
replaced by the title of the article. Some questions are crooked English; the answer always stands
in the sentence word for word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from .samples import Question
from .wordlists import words

MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
DATE = re.compile(
    rf"\b(?:\d{{1,2}} (?:{MONTH})(?: \d{{4}})?|(?:{MONTH}) \d{{1,2}}, \d{{4}}|(?:{MONTH}) \d{{4}}"
    r"|1[0-9]\d\d|20[0-2]\d)\b"
)
NUMBER = re.compile(
    r"(?<![\w.,])(?:[$£€]?\d[\d,]*(?:\.\d+)?)"
    r"(?: (?:million|billion|percent|per cent|km|metres|meters|feet|miles))?(?![\w])"
)
NAME = re.compile(
    r"(?:[A-Z][\w\u2019'.-]*[\w])(?: (?:of|the|de|von|van|and|la|for) (?=[A-Z])| (?=[A-Z]))?"
    r"(?:[A-Z][\w\u2019'-]*(?: (?:of|the|de|von|van|la|for) (?=[A-Z])| (?=[A-Z]))?)*"
)
QUOTED = re.compile(r"[\"“]([^\"”]{3,60})[\"”]")
AUXILIARY = re.compile(
    r"^(.{2,70}?) (was|were|is|are|has|had|can|will|could|would|may|must|has been) (.+)$"
)
PAST = re.compile(r"^(.{2,60}?) ([a-z]+ed|[a-z]{3,8}) (.+)$")
TORN = re.compile(
    r"\b(?:the|an?|of|and|his|her|its|their) (?:in|of|at|on|by|from|to|for|and|the|was|were|is)\b"
    r"|\b(?:the|an?|his|her|its|their|and|of)$"
)
"""What is left where a span was cut out of the middle of a phrase."""
INITIAL = re.compile(r"(?:^|[\s.])[A-Z]\. ?[A-Z]?|[A-Z]\.?$")
"""A name cut at an initial."""
PRONOUN = re.compile(r"^(?:He|She|It|They) (?=[a-z])")
STARTERS = frozenset(words("starters", "english.txt"))
BASE_FORMS = dict(pair.split(":") for pair in words("base_forms", "english.txt"))


@dataclass(frozen=True)
class Span:
    """A stretch of a sentence that can be asked for; `kind` is date, number, name or quote."""

    start: int
    end: int
    kind: str

    def of(self, text: str) -> str:
        """The words of the span."""
        return text[self.start : self.end]


def spans(sentence: str) -> list[Span]:
    """All spans of the sentence, dates first; none lies in another."""
    found: list[Span] = []
    for kind, pattern in (("date", DATE), ("quote", QUOTED), ("name", NAME), ("number", NUMBER)):
        for hit in pattern.finditer(sentence):
            start, end = hit.span(1) if kind == "quote" else hit.span()
            text = sentence[start:end]
            first, _, rest = text.partition(" ")
            if kind == "name" and first in STARTERS:
                start += len(first) + 1
                text = rest
            if len(text.strip()) < 2 - (kind == "number") or len(text) > 60:
                continue
            if kind == "name" and INITIAL.search(sentence[max(0, start - 3) : end + 2]):
                continue
            if not any(start < other.end and other.start < end for other in found):
                found.append(Span(start, start + len(text.rstrip()), kind))
    return found


def blank(sentence: str, span: Span, rng: Random) -> str:
    """The sentence, or the part of it about the span, with a gap."""
    before, after = sentence[: span.start].split(" "), sentence[span.end :].split(" ")
    if len(before) + len(after) > 18:
        before, after = before[-rng.randint(4, 12) :], after[: rng.randint(3, 10)]
    gap = rng.choice(("___", "____", "...", "[blank]", "_____"))
    gapped = " ".join(before) + gap + " ".join(after)
    form = rng.choice(
        (
            "Fill in the blank: {}",
            "Complete the sentence: {}",
            "{}",
            "What is missing? {}",
            "Which words fill the gap? {}",
            "Find the missing words: {}",
        )
    )
    return form.format(gapped.strip())


def question_word(span: Span, preposition: str, person: bool) -> str:
    """What to ask for the span with, given the preposition before it."""
    if span.kind == "date":
        return "When"
    if span.kind == "number":
        return "How many"
    if preposition in ("in", "at", "to", "from", "near"):
        return {"to": "Where", "from": "From where"}.get(preposition, "Where")
    if preposition in ("by", "with", "for") and person:
        return f"{preposition.capitalize()} whom"
    return "Who" if person else "What"


def ask_sentence(sentence: str, span: Span, title: str, rng: Random) -> str | None:
    """A question in English for the span, or None where no rule fits."""
    answer = span.of(sentence)
    plain = (
        PRONOUN.sub(f"{title} ", sentence.rstrip(" ."))
        if PRONOUN.match(sentence)
        else sentence.rstrip(" .")
    )
    shift = plain.find(answer)
    if shift < 0 or plain.count(answer) != 1:
        return None
    before, after = plain[:shift], plain[shift + len(answer) :]
    if not before.strip() or before.strip() in ("The", "A"):
        word = (
            "Who"
            if rng.random() < 0.5 and span.kind == "name" and len(answer.split()) in (2, 3)
            else "What"
        )
        rest = after.split(", ")[0] if len(after) > 90 else after
        return (
            f"{word}{rest}?"
            if re.match(r" [a-z]", after) and span.kind in ("name", "quote")
            else None
        )
    head = re.search(
        r"(?:^|\s)(in|on|at|by|from|to|for|of|with|near|since|until|as) (?:the )?$", before
    )
    preposition = head.group(1) if head else ""
    cut = before[: head.start()] if head and preposition not in ("of", "as") else before
    noun = ""
    if span.kind == "number":
        follower = re.match(r" ([a-z]+s)\b", after)
        if not follower or head:
            return None
        noun, after = f" {follower.group(1)}", after[follower.end() :]
    word = (
        question_word(span, preposition, len(answer.split()) in (2, 3) and rng.random() < 0.5)
        + noun
    )
    if word.startswith("By whom") or word.startswith("From where"):
        tail = ""
    else:
        tail = (
            after
            if rng.random() < 0.3 and len(after) < 60
            else re.split(r",| and | but |; ", after)[0]
        )
    body = (cut.rstrip(" ,") + tail).strip()
    if body.startswith(("In ", "On ", "At ", "After ", "During ", "By ")) and ", " in body:
        body = body.split(", ", 1)[1]
    body = re.sub(r"\s*\([^)]*\)", "", body)
    if PRONOUN.match(body[:1].upper() + body[1:]):
        body = PRONOUN.sub(f"{title} ", body[:1].upper() + body[1:])
    return _inverted(word, body)


def _inverted(word: str, body: str) -> str | None:
    """`word` before `body` with its auxiliary moved to the front, or with "did"."""
    if any(mark in body for mark in ('"', ";", ":", "“")) or len(body) > 140 or TORN.search(body):
        return None
    found = AUXILIARY.match(body + " ")
    past = PAST.match(body + " ")
    if (
        past
        and past.group(2) in BASE_FORMS
        and (not found or len(past.group(1)) < len(found.group(1)))
    ):
        subject, verb, rest = past.groups()
        return f"{word} did {_inside(subject)} {BASE_FORMS[verb]} {rest}".strip() + "?"
    if found and "," not in found.group(1):
        subject, auxiliary, rest = found.groups()
        return f"{word} {auxiliary} {_inside(subject)} {rest}".strip() + "?"
    return None


def _inside(subject: str) -> str:
    first = subject.split(" ", 1)[0]
    return subject[:1].lower() + subject[1:] if first in STARTERS else subject


def about_title(title: str, sentence: str, rng: Random) -> list[Question]:
    """What a first sentence says about its article: who or what it is, born when, died when."""
    made: list[Question] = []
    name = re.sub(r"\s*\(.*\)", "", title)
    born = re.search(rf"born (?:on )?({DATE.pattern})", sentence)
    if born:
        made.append(
            Question(
                rng.choice(
                    ("When was {} born?", "What is the date of birth of {}?", "{}: date of birth?")
                ).format(name),
                born.group(1),
            )
        )
    lived = re.search(rf"\(({DATE.pattern}) ?[\u2013-] ?({DATE.pattern})\)", sentence)
    if lived:
        made.append(
            Question(
                rng.choice(
                    ("When did {} die?", "In what year, or on what day, did {} die?")
                ).format(name),
                lived.group(2),
            )
        )
        made.append(Question(f"When was {name} born?", lived.group(1)))
    what = re.search(
        r"\b(?:is|was|are|were) ((?:a|an|the) [^.,;()]{8,70}?)"
        r"(?= (?:who|which|that|located|based|by|from|born|released)\b|[.,;(]|$)",
        sentence,
    )
    if what and what.start() < 120:
        asked = rng.choice(
            ("Who is {}?", "Who was {}?")
            if born or lived
            else ("What is {}?", "What is meant by {}?", "Describe {} in a few words.")
        )
        made.append(Question(asked.format(name), what.group(1)))
    return made


def ask_all(chosen: list[str], title: str, rng: Random, most: int, blanks: float) -> list[Question]:
    """Up to `most` questions on the chosen sentences; about `blanks` of them with a gap."""
    made: list[Question] = []
    if title and chosen:
        made += about_title(title, chosen[0], rng)
    candidates = [(sentence, span) for sentence in chosen for span in spans(sentence)]
    rng.shuffle(candidates)
    whole = " ".join(chosen)
    for sentence, span in candidates:
        if len(made) >= most:
            break
        text = ask_sentence(sentence, span, title, rng) if rng.random() >= blanks else None
        if text is None and rng.random() < 0.25 + blanks:
            text = blank(sentence, span, rng)
        if text and span.of(sentence) in whole:
            made.append(Question(text, span.of(sentence)))
    why = next(
        (
            re.match(r"^([A-Z].{10,90}?),? (because .{8,80}?)[.,;]", one)
            for one in chosen
            if " because " in one
        ),
        None,
    )
    if why and (asked := _inverted("Why", why.group(1))):
        made.append(Question(asked, why.group(2)))
    rng.shuffle(made)
    return made[:most]
