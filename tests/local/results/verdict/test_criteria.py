from dataclasses import replace

from ragtune.recipe.arms import Arm
from ragtune.results.parts import Coverage, Covered, Mean, Paired
from ragtune.results.schema import CurvePoint, LearningCurve
from ragtune.results.verdict.criteria import criteria
from ragtune.results.verdict.evidence import Evidence
from ragtune.results.verdict.measured import (
    CriterionMeasured,
    FewLabelsMeasured,
    FreshnessMeasured,
    QualityMeasured,
    Unmeasured,
)
from tests.local.results.verdict.figures import evidence, fresh, with_p95

TUNED_IS_BEST = (0.1, 0.9, 0.5, 0.4)


def favoured(of: Evidence) -> dict[str, str | None]:
    return {line.criterion: line.favours for line in criteria(of)}


def line(of: Evidence, criterion: str) -> CriterionMeasured:
    (found,) = [c for c in criteria(of) if c.criterion == criterion]
    return found


def side(tuned: float, rag: float, *, different: bool = True) -> Covered:
    gap = Paired(
        left="tuned",
        right="rag",
        mean=tuned - rag,
        ci95=(-1, 1),
        p=0.5,
        p_holm=0.5,
        different=different,
        more_questions=None,
    )
    means: dict[Arm, Mean] = {
        "tuned": Mean(mean=tuned, ci95=(0, 1)),
        "rag": Mean(mean=rag, ci95=(0, 1)),
    }
    return Covered(questions=50, arms=means, difference=gap)


def test_a_narrow_task_is_measured_inside_of_the_records_and_wide_knowledge_outside() -> None:
    both = Coverage(by="document", inside=side(0.9, 0.6), outside=side(0.1, 0.7))
    found = replace(evidence(TUNED_IS_BEST), coverage=both)
    assert line(found, "narrow task").favours == "tuning"
    assert line(found, "wide knowledge").favours == "retrieval"
    assert line(found, "wide knowledge").measured == QualityMeasured(
        metric="token_f1", tuned=0.1, rag=0.7, different=True, questions=50, by="document"
    )


def test_what_the_data_does_not_let_one_measure_is_said() -> None:
    half = Coverage(by="document", inside=None, outside=side(0.1, 0.7, different=False))
    found = replace(evidence(TUNED_IS_BEST), coverage=half)
    assert line(found, "narrow task").measured == Unmeasured(why="none_inside")
    assert line(found, "narrow task").favours is None
    assert line(found, "wide knowledge").favours is None
    unseen = line(evidence(TUNED_IS_BEST), "wide knowledge")
    assert unseen.measured == Unmeasured(why="no_coverage")


def test_a_dead_arm_earns_no_praise() -> None:
    dead = criteria(evidence((0.1, 0.9, 0.01, 0.4)))
    assert {one.criterion for one in dead} == {
        "narrow task",
        "wide knowledge",
        "curated labels",
        "few labels",
    }


def test_each_criterion_favours_what_its_measurement_says() -> None:
    whole = Coverage(by="question", inside=side(0.9, 0.5), outside=side(0.8, 0.5))
    assert favoured(replace(evidence(TUNED_IS_BEST), coverage=whole)) == {
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
    assert favoured(evidence((0.1, 0.1, 0.9, 0.9)))["curated labels"] is None


def test_what_is_not_significantly_different_favours_neither() -> None:
    alike = evidence((0.1, 0.68, 0.70, 0.1), {("tuned", "rag"): 1234})
    found = favoured(with_p95(alike, "rag", 16.0))  # 15 ms by tuning
    for criterion in ("few labels", "low latency"):
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
