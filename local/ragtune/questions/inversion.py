"""A sentence turned into a question by moving its verb: plain, close to the text, and right.

Only for sentences of one plain form: a subject, an auxiliary or one of a few verbs, and the answer
behind it. For others there is no such question.
"""

import re

from ragtune.questions.facts import Fact
from ragtune.questions.patterns import NO_NAME

_AUXILIARY = r"is|are|was|were|can|must|may|will|should"
_S = """opens closes begins starts ends leaves arrives costs weighs lasts takes holds hangs stands
lies sits lives works meets comes needs keeps sells waits gives charges sleeps receives checks"""
_VERBS = {verb: verb.removesuffix("s") for verb in _S.split()}
_VERBS |= {"carries": "carry", "goes": "go"}
_SENTENCE = re.compile(
    rf"^(?P<subject>[A-Z][^,;:()]{{1,60}}?) (?P<verb>{_AUXILIARY}|{'|'.join(_VERBS)})\b"
    r"(?P<middle>.*)$"
)
_PREPOSITION = re.compile(r"\b(in|on|at|by|from|to|until|for|with|after|before|since|of)$")
_DETERMINER = re.compile(r"^(?:The|An?|Every|Each|All|Most|Only|Some|Half|Its|Our|Your)\b")
_PERSON = re.compile(r"^(?:Dr |Mr |Mrs |Ms )?[A-Z]\S+ [A-Z]\S+$")
_PERIOD = re.compile(r"(?:second|minute|hour|day|night|week|month|year)s?$", re.I)
_AMOUNT = re.compile(
    r"[$£€¥]|(?:euro|pound|dollar|cent|crown|franc|kilo|gram|tonne)s?\b|kg|EUR|USD"
)


def inverted(fact: Fact) -> str:
    """The sentence as a question for the fact; empty where it has not the form for that."""
    text = fact.sentence.text
    found = _SENTENCE.match(text[: fact.start].rstrip())
    if fact.sentence.is_line or not found:
        return ""
    subject, middle = _inside(found["subject"], fact.passage.text), found["middle"].strip()
    if not subject or re.search(r"[,;:]|\b(?:and|but|which|who|that)\b", middle):
        return ""
    before = _PREPOSITION.search(middle)
    preposition = before[1] if before else ""
    rest = middle[: before.start()].strip() if before else middle
    word, tail = _word(fact, found["verb"], preposition, text[fact.end :])
    base = _VERBS.get(found["verb"])
    verb = f"does {subject} {base}" if base else f"{found['verb']} {subject}"
    return " ".join(f"{word} {verb} {rest} {tail}".split()) + "?" if word else ""


_PLACE = re.compile(r"^(?:in|on|at|behind|under|beside|near|next|above)\b")
_WORDS = (
    ("reason", frozenset(("",)), re.compile(""), "Why"),
    ("date", frozenset(("", "in", "on", "at")), re.compile(""), "When"),
    ("date", frozenset(("until", "since", "by")), re.compile(""), "{} when"),
    ("phrase", frozenset(("",)), _PLACE, "Where"),
    ("name", frozenset(("by", "to", "with", "from")), _PERSON, "{} whom"),
)
"""What asks for a kind of answer of this look behind these prepositions."""


def _word(fact: Fact, verb: str, preposition: str, after: str) -> tuple[str, str]:
    """The question word, and what follows the answer that belongs to the question."""
    tail = after if re.fullmatch(r" [a-z][^,;:.]{2,40}\.?", after) else ""
    tail = "" if re.match(r" (?:and|but|which|who|that|because|so)\b", tail) else tail.rstrip(".")
    if fact.kind == "figure":
        return _figure(fact.answer, verb, preposition, after, tail)
    for kind, prepositions, look, word in _WORDS:
        if kind == fact.kind and preposition in prepositions and look.search(fact.answer):
            return word.format(preposition.capitalize()), "" if word == "Why" else tail
    return "", ""


def _figure(answer: str, verb: str, preposition: str, after: str, tail: str) -> tuple[str, str]:
    counted = re.match(r" ((?:[a-z]+ ){0,2}?[a-z]+s|people|men)\b", after)
    if re.fullmatch(r"[\w.,-]+", answer) and counted and preposition in ("", "for", "with"):
        lead = f"{preposition.capitalize()} how many" if preposition else "How many"
        rest = after[counted.end() :]
        more = rest.rstrip(".") if re.fullmatch(r" [a-z][^,;:.]{2,40}\.?", rest) else ""
        return f"{lead} {counted[1]}", "" if re.match(r" (?:and|but)\b", more) else more
    if _PERIOD.search(answer) and (preposition == "for" or verb in ("lasts", "takes")):
        return "How long" if preposition != "for" else "For how long", tail
    if _AMOUNT.search(answer) and verb in ("costs", "weighs", "carries", "holds", "charges", "can"):
        return "How much", tail
    return "", ""


def _inside(subject: str, passage: str) -> str:
    """The subject as it reads inside a sentence; empty where its first word may be a name."""
    first, _, rest = subject.partition(" ")
    if rest[:1].isupper() or re.search(rf"\w {re.escape(first)}\b", passage):
        return subject
    common = _DETERMINER.match(subject) or re.search(rf"\b{re.escape(first.lower())}\b", passage)
    if common or (first.endswith("s") and not NO_NAME.match(first)):
        return subject[:1].lower() + subject[1:]
    return ""
