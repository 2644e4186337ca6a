import math

import pytest

from ragtune.results.retrieval import quality
from ragtune.retrieval.passages import Passage, gold_rank
from ragtune.sources.records import Record


def passages(*documents: str, text: str = "text") -> list[Passage]:
    return [Passage(str(n), name, "", text, 1.0 / n) for n, name in enumerate(documents, 1)]


def test_gold_is_the_document_and_where_known_its_evidence() -> None:
    record = Record("q", "a", document="b.md")
    assert gold_rank(record, passages("a.md", "b.md")) == 2
    assert gold_rank(record, passages("a.md")) is None
    strict = Record("q", "a", document="b.md", evidence="The  sentence.")
    assert gold_rank(strict, passages("b.md")) is None
    assert gold_rank(strict, passages("b.md", text="Here: the\nsentence. The sentence.")) == 1


def test_figures_follow_their_definitions() -> None:
    records = [Record(f"q{n}", "a", document="gold.md") for n in range(4)]
    found = [
        passages("gold.md", "x"),
        passages("x", "gold.md"),
        passages("x", "y"),
        passages("x", "y", "gold.md"),
    ]
    figures = quality(records, found, top_k=2, seed=1)
    assert figures is not None
    assert figures.recall_at_k.mean == 0.5
    assert figures.mrr.mean == pytest.approx((1 + 0.5) / 4)
    assert figures.ndcg_at_k.mean == pytest.approx((1 + 1 / math.log2(3)) / 4, abs=1e-6)


def test_questions_without_a_gold_document_are_not_judged() -> None:
    assert quality([Record("q", "a")], [passages("x")], top_k=1, seed=1) is None


@pytest.mark.parametrize(
    "text",
    [
        "It\u2019s the \ufb01rst exami\u00adnation of the day.",
        "It's the first exami-\nnation of the day.",
        "IT\u2018S THE FIRST  EXAMINATION of the day.",
    ],
)
def test_evidence_matches_however_it_is_set(text: str) -> None:
    record = Record("q", "a", document="b.md", evidence="It's the first examination")
    assert gold_rank(record, passages("b.md", text=text)) == 1


def test_evidence_with_another_number_does_not_match() -> None:
    record = Record("q", "a", document="b.md", evidence="The dose is 1.5 mg")
    assert gold_rank(record, passages("b.md", text="The dose is 15 mg, or -1.5 mg.")) is None
