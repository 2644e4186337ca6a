"""Labels and letters: which one an answer names."""

import re
from collections.abc import Sequence

from ragtune.core.text.characters import cleaned
from ragtune.core.text.words import tokens
from ragtune.results.metrics.matching import negated, run, spoken

Span = tuple[int, int]

LETTER = re.compile(r"^[\s([]*([A-Za-z])[\s).:\]]*$")
"""A reference that is one letter."""
_CHOSEN = (
    re.compile(r"^\W*([A-Za-z])\s*(?:[).:\]]|-\s|$|,)"),
    re.compile(
        r"\b(?:option|answer|choice|letter|group|type|class|grade|antwort|réponse|opción|选项)"
        r"(?:\s+(?:is|would be|should be))?\s*[:\-]?\s*\W{0,3}([A-Za-z])(?![\w'])",
        re.I,
    ),
    re.compile(r"\b(?:is|be|choose|pick|select|:)\s+\W?([A-Z])(?![\w'])"),
    re.compile(r"^\W*([A-Z])(?![\w'+#-])(?!\s+(?!(?:is|was|because|since|as)\b)[a-z])"),
    re.compile(r"[(\[]([A-Za-z])[)\]]"),
    re.compile(r"^\W*([B-HJ-Z])(?![\w'+#-])"),
)
"""How a letter is chosen, the surest way first; "A dog" chooses none."""
_SEVERAL = re.compile(r"\b[A-Z]\s*(?:or|and|/|,|&)\s*[A-Z](?!\w)")
_NOT_THIS = re.compile(r"\b(?:not|rather than|instead of)\s+(?:option\s+)?\(?[A-Z]\)?(?!\w)")


def letter(answer: str) -> str:
    """The letter that an answer chooses, in lower case; "" for none or several."""
    text = _NOT_THIS.sub("", cleaned(answer).replace("*", "").strip())
    if not _SEVERAL.search(text):
        for pattern in _CHOSEN:
            if chosen := pattern.search(text):
                return chosen[1].lower()
    return ""


def names_only(answer: str, label: str, labels: Sequence[str]) -> bool:
    """Whether an answer names one label, and no other that it does not deny.

    A longer label hides those inside it: "very good" does not name "good".
    """
    return _named(answer, [label, *labels]) == {_words(label)}


def only_label(answer: str, labels: Sequence[str]) -> str:
    """The one label that an answer names, as `names_only` counts it; "" for none or several."""
    named = _named(answer, labels)
    return next((t for t in labels if _words(t) in named), "") if len(named) == 1 else ""


def _named(answer: str, labels: Sequence[str]) -> set[tuple[str, ...]]:
    """The words of each label that an answer names."""
    said = tokens(answer)
    places = {
        text: [span for span in run(said, spoken(tokens(text))) if not negated(said, *span)]
        for text in dict.fromkeys(labels)
    }
    every = [span for spans in places.values() for span in spans]
    return {
        _words(text)
        for text, spans in places.items()
        if any(not _inside(span, every) for span in spans)
    }


def _words(label: str) -> tuple[str, ...]:
    return tuple(token.text for token in tokens(label))


def _inside(span: Span, others: Sequence[Span]) -> bool:
    length = span[1] - span[0]
    return any(s <= span[0] and span[1] <= e and e - s > length for s, e in others)
