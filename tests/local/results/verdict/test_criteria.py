from dataclasses import replace

from ragtune.results.parts import Mean
from ragtune.results.schema import CurvePoint, LearningCurve
from ragtune.results.verdict.criteria import criteria
from ragtune.results.verdict.evidence import Evidence
from ragtune.results.verdict.reasons import (
    CriterionMeasured,
    FewLabelsMeasured,
    FreshnessMeasured,
)
from tests.local.results.verdict.figures import evidence, fresh, with_p95

TUNED_IS_BEST = (0.1, 0.9, 0.5, 0.4)


def favoured(of: Evidence) -> dict[str, str | None]:
    return {line.criterion: line.favours for line in criteria(of)}


def line(of: Evidence, criterion: str) -> CriterionMeasured:
    (found,) = [c for c in criteria(of) if c.criterion == criterion]
    return found


def test_each_criterion_favours_what_its_measurement_says() -> None:
    assert favoured(evidence(TUNED_IS_BEST)) == {
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
    rag_is_best = favoured(evidence((0.1, 0.1, 0.9, 0.9)))
    assert rag_is_best["narrow task"] == rag_is_best["wide knowledge"] == "retrieval"
    assert rag_is_best["curated labels"] is None


def test_what_is_not_significantly_different_favours_neither() -> None:
    alike = evidence((0.1, 0.68, 0.70, 0.1), {("tuned", "rag"): 1234})
    found = favoured(with_p95(alike, "rag", 16.0))  # 15 ms by tuning
    for criterion in ("narrow task", "wide knowledge", "few labels", "low latency"):
        assert found[criterion] is None


def test_an_index_that_no_answer_follows_does_not_favour_retrieval() -> None:
    deaf = line(replace(evidence(TUNED_IS_BEST), freshness=fresh(followed=0)), "changing data")
    assert deaf.favours is None
    assert deaf.measured == FreshnessMeasured(tuned=3601, rag=37, followed=0, changes=5)


def test_few_labels_are_judged_at_the_foot_of_the_learning_curve() -> None:
    """With all 400 records tuning is the better one, with 40 it is not."""
    first = CurvePoint(share=0.1, records=40, arms={"tuned": Mean(mean=0.2, ci95=(0.1, 0.3))})
    curve = LearningCurve(metric="token_f1", points=[first], enough={"tuned": 0.1})
    few = line(replace(evidence(TUNED_IS_BEST), curve=curve), "few labels")
    assert few.favours == "retrieval"
    assert few.measured == FewLabelsMeasured(metric="token_f1", rag=0.5, tuned=0.2, records=40)


def test_without_both_sides_there_is_nothing_to_hold_against_each_other() -> None:
    whole = evidence(TUNED_IS_BEST)
    assert criteria(replace(whole, arms={a: f for a, f in whole.arms.items() if a != "rag"})) == []
