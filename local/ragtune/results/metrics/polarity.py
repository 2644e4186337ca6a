"""Yes and no: what an answer's first word says, and whether a sentence denies."""

import re
from typing import Literal

from ragtune.core.text.characters import cleaned, folded
from ragtune.core.text.content import is_content, stem
from ragtune.core.text.words import tokens
from ragtune.results.metrics.vocabulary import (
    NEGATORS,
    NO,
    NO_BEGINNINGS,
    SIDES_ALONE,
    YES,
    YES_BEGINNINGS,
)

Polarity = Literal["yes", "no", "both"]

_OPENING = re.compile(
    r"^(?:(?:the )?(?:correct )?(?:answer|antwort|response|réponse|respuesta)"
    r"(?: is| ist| est| es)?\s*[:,]?\s*|(?:well|so|in short)\s*[,.]\s*(?=\w)|答案是|答えは)",
    re.I,
)
_SIDES = r"(?:yes|no|ja|nein|oui|non|sí|si)"
_AND = r"(?:and|or|und|oder|et|ou|y|o)"
_BOTH = re.compile(
    rf"^\W*{_SIDES}\W+(?:{_AND}\W+{_SIDES}\b|{_SIDES}\b(?=\W*$|[,.!;]))|"
    r"^\W*(?:jein|maybe|perhaps|partly|sometimes|it depends|vielleicht|peut-être|quizás|tal vez)\b",
    re.I,
)
_ALONE = re.compile(r"^\W*([^\W\d_]+)\s*(?:[,.;:!。、]|-\s|$)")
_NO_ANSWERS = frozenset(("not", "nicht", "right", "sure", "wrong", "exact", "da"))
"""First words of answers that are no yes or no as a reference of their own."""
_NO_DENIAL = re.compile(
    r"\b(?:not only|(?:no|not) (?:later|earlier|more|less|fewer|sooner) than|"
    r"do(?: not|n't) hesitate)\b",
    re.I,
)
_PERMITS = re.compile(
    r"^(?:it|that|this|they|you|he|she|we)\W+(?:is|are|'s|'re|may|can)\W(?:not )?"
    r"(?:allowed|permitted|possible|may|can)\b",
    re.I,
)
_DENIES_UNSPACED = re.compile(
    r"不(?!锈|同|仅|但|过|断|少于|超过)|没有|未|禁止|ない|ません|できず|않|없|ไม่"
)


def polarity(text: str) -> Polarity | None:
    """What the first word says; "both" for yes and no, None where it says neither."""
    text = _OPENING.sub("", cleaned(text).strip(" \t\n\"'*"))
    if _BOTH.search(text):
        return "both"
    if text.startswith((*NO_BEGINNINGS, *YES_BEGINNINGS)):
        return "no" if text.startswith(NO_BEGINNINGS) else "yes"
    first, second, *_ = [*(folded(w) for w in re.findall(r"[^\W\d_]+", text[:60])), "", ""]
    if first == "of" and second == "course":
        return "no" if re.match(r"of course not\b", text, re.I) else "yes"
    if second == "not" and first in ("absolutely", "certainly", "definitely"):
        return "no"
    return "yes" if first in YES else "no" if first in NO else None


def asked(reference: str) -> Polarity | None:
    """The side that a reference asks for: "yes", "No, only on Sundays", but not "no dogs"."""
    text = cleaned(reference).strip()
    alone = _ALONE.match(text)
    word = folded(alone[1]) if alone else ""
    if text.rstrip("。.!") in SIDES_ALONE or word in (YES | NO) - _NO_ANSWERS:
        return polarity(text)
    return None


def rest(text: str) -> str:
    """What follows the first word."""
    return re.sub(r"^\W*[^\W\d_]+\W*", "", cleaned(text), count=1)


def denies(text: str) -> bool:
    """Whether a sentence says that something is not so; "not only" and "no later than" do not."""
    plain = _NO_DENIAL.sub(" ", cleaned(text))
    return any(t.text in NEGATORS for t in tokens(plain)) or bool(_DENIES_UNSPACED.search(plain))


def answered(answer: str, question: str) -> Polarity | None:
    """The side of a whole sentence that begins with neither: it is not allowed."""
    told = [t for t in tokens(answer) if is_content(t)]
    if len(tokens(answer)) < 2:
        return None
    if told and denies(answer):
        return "no"
    if _PERMITS.search(answer):
        return "no" if denies(answer) else "yes"
    about = {stem(t.text) for t in tokens(question) if is_content(t)}
    return "yes" if any(stem(t.text) in about for t in told) else None
