from typing import Any

from ragtune.results.verdict.criteria import criteria
from tests.local.results.verdict.figures import figures


def spoken(of: dict[str, Any]) -> dict[str, str | None]:
    return {line["criterion"]: line["speaks_for"] for line in criteria(of)}


def test_each_criterion_speaks_for_what_its_measurement_says() -> None:
    assert spoken(figures((0.1, 0.9, 0.5, 0.4))) == {
        "narrow task": "tuning",
        "wide knowledge": "tuning",
        "predictable quality": "tuning",
        "low latency": "tuning",
        "high throughput": "tuning",
        "curated labels": "tuning",
        "few labels": "tuning",
        "changing data": "retrieval",
        "low initial cost": "retrieval",
    }
    rag_is_best = spoken(figures((0.1, 0.1, 0.9, 0.9)))
    assert rag_is_best["narrow task"] == rag_is_best["wide knowledge"] == "retrieval"
    assert rag_is_best["curated labels"] is None


def test_what_cannot_be_told_apart_speaks_for_neither() -> None:
    alike = figures((0.1, 0.68, 0.70, 0.1), {("tuned", "rag"): 1234})
    alike["arms"]["rag"]["latency_ms"]["p95"] = 16.0  # 15 ms by tuning
    found = spoken(alike)
    for criterion in ("narrow task", "wide knowledge", "few labels", "low latency"):
        assert found[criterion] is None


def test_an_index_that_no_answer_follows_does_not_speak_for_retrieval() -> None:
    deaf = figures((0.1, 0.9, 0.5, 0.4))
    deaf["freshness"]["followed"] = 0
    (line,) = [c for c in criteria(deaf) if c["criterion"] == "changing data"]
    assert line["speaks_for"] is None
    assert line["measured"] == (
        "from a changed document to an answer 37 s by indexing, 3,601 s by tuning anew; "
        "0 of 5 answers followed the index"
    )


def test_few_labels_are_judged_at_the_foot_of_the_learning_curve() -> None:
    """With all 400 records tuning is the better one, with 40 it is not."""
    measured = figures((0.1, 0.9, 0.5, 0.4))
    first = {"records": 40, "arms": {"tuned": {"mean": 0.2, "ci95": [0.1, 0.3]}}}
    measured["learning_curve"] = {"points": [first]}
    (line,) = [c for c in criteria(measured) if c["criterion"] == "few labels"]
    assert line["speaks_for"] == "retrieval"
    assert line["measured"] == "retrieval reaches 0.50 without a record; tuning 0.20 with 40"


def test_without_both_sides_there_is_nothing_to_hold_against_each_other() -> None:
    one = figures((0.1, 0.9, 0.5, 0.4))
    del one["arms"]["rag"]
    assert criteria(one) == []
