"""Questions by rules, where no model is at hand."""

import re
from collections.abc import Sequence

from ragtune.core.progress import Advance
from ragtune.models.engines.base import unwatched
from ragtune.questions.facts import Fact
from ragtune.questions.inversion import inverted
from ragtune.questions.wishes import row_names


class Templates:
    """Questions by rules, where no model is at hand: the sentence around a gap, under its title."""

    name = "templates"
    fingerprint = "templates-1"
    at_once = 1

    def draft(self, facts: Sequence[Fact], advance: Advance = unwatched) -> list[list[str]]:
        """One question for a row of a table or a definition, else one that quotes what is near."""
        advance(len(facts), len(facts))
        return [[text for text in (inverted(fact), _templated(fact)) if text] for fact in facts]

    def reword(
        self, facts: Sequence[Fact], questions: Sequence[str], advance: Advance = unwatched
    ) -> list[list[str]]:
        """Another frame around the same words."""
        return [[f"Can you tell me: {_lower(question)}"] for question in questions]

    def doubts(self, facts: Sequence[Fact], questions: Sequence[str]) -> list[float]:
        """None."""
        return [0.0] * len(questions)


_WORD = {
    "figure": "What figure",
    "date": "When",
    "name": "Which name",
    "code": "Which code or number",
    "reason": "Why",
    "list": "Which things",
}


def _templated(fact: Fact) -> str:
    text, head = fact.sentence.text, fact.sentence.head
    if fact.sentence.is_line:
        words = row_names(fact)
        return f"What is the {words[-1]} of {words[0]}?" if len(words) > 1 else ""
    found = re.match(r"^(.{3,60}?) (is|are|was|were|has|have|can|must|may|will|should) (.+)$", text)
    if fact.kind == "definition" and found:
        return f"What {found[2]} {found[1][:1].lower()}{found[1][1:]}?"
    if not found or fact.start <= found.end(2) or not head:
        return ""
    middle = text[found.end(2) + 1 : fact.start].strip()
    rest = re.sub(r"\b(?:in|on|at|to|of|by|for|from|with|until|the|a|an)$", "", middle).strip()
    start = found[1] if found[1].split()[0] in _capitals(text) else _lower(found[1])
    asked = f"{_WORD.get(fact.kind, 'What')} {found[2]} {start} {rest}".strip()
    return f"{asked}?" if rest else ""


def _capitals(text: str) -> set[str]:
    """Words that keep their capital inside a sentence: names that occur again, or in capitals."""
    words = re.findall(r"[\w\u2019'-]+", text)
    return {word for word in words[1:] if word[:1].isupper()} | {w for w in words if w.isupper()}


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
