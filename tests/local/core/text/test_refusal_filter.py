"""What may refuse is seen in thousands of texts at once, and no refusal is let go."""

import random

import pytest

from ragtune.core.text import refusal_filter
from ragtune.core.text.refusals import refuses
from ragtune.results import rightness
from ragtune.sources.records import Record

SAID = (
    "I have no idea",
    "Sorry, I can`t tell from this",
    "you cannot",
    "unclear",
    "n/a",
    "(no information)",
    "_I do not know_",
    "It does not say who built it",
    "Das geht aus dem Text nicht hervor",
    "Je ne peux pas répondre",
    "文中没有说明",
    "No details are given",
    "Nobody is asked don't tell",
    "The mill is not open on Sundays",
    "12 knots",
    "please ask the office",
    "but the barn is red",
)
ENDS = (". ", "\n", "? ", ", ", " but ", "\x0b", "  \n ", "")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusal_filter, "FEW", 10)


@pytest.mark.parametrize("phrases", [(), ("Don't tell.",), ("Ask the OFFICE",), ("???",)])
def test_every_text_that_refuses_is_among_those_that_may(phrases: tuple[str, ...]) -> None:
    rng = random.Random(7)
    texts = [
        "".join(rng.choice(SAID) + rng.choice(ENDS) for _ in range(rng.randint(1, 3)))
        for _ in range(1500)
    ]
    may = refusal_filter.may_refuse(texts, phrases)
    refused = [refuses(text, phrases) for text in texts]
    assert sum(refused) > 100
    assert [t for t, one, other in zip(texts, may, refused, strict=True) if other and not one] == []


def test_answers_with_a_not_are_not_taken_into_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(text: str, phrases: tuple[str, ...]) -> bool:
        asked.append(text)
        return refuses(text, phrases)

    monkeypatch.setattr("ragtune.results.metrics.right.refuses", counted)
    rows = [Record(f"q{n}", f"Not the mill {n}, which has no roof.") for n in range(200)]
    rows += [Record("q", "I don't know."), Record("q", " "), Record("q", "je ne sais pas, é")]
    assert rightness.unanswerable(rows, ()) == [rightness.is_unanswerable(row, ()) for row in rows]
    assert len(asked) <= len(rows) + 10  # each once for the comparison, a few for the answer
