from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from ragtune.recipe.arms import USUAL as ARMS
from ragtune.recipe.arms import Arm
from ragtune.recipe.schema import Needs
from ragtune.results.faults import FewQuestions, FewSteps
from ragtune.results.parts import Baseline, Mean
from ragtune.results.schema import ArmFigures
from ragtune.results.verdict.evidence import Evidence
from ragtune.results.verdict.reasons import (
    AtFault,
    Chosen,
    ConstantWins,
    Dead,
    LearntOnly,
    NeedsUnmet,
    NoSources,
    NotBetter,
    NothingAnswered,
    OverBudget,
    Reason,
    Spending,
    StudyAtFault,
    TooPoor,
    TooSlow,
    TooStale,
    Undecided,
    Worse,
)
from ragtune.results.verdict.rule import recommend
from tests.local.results.verdict.figures import METRIC, baseline, evidence, with_arm

RAG_IS_BEST = (0.0, 0.5, 0.9, 0.8)
TUNED_IS_BEST = (0.0, 0.9, 0.5, 0.4)


def constant(mean: float, quality: tuple[float, ...]) -> Baseline:
    return baseline(mean, dict(zip(ARMS, quality, strict=True)))


def test_the_best_arm_is_named_with_why_each_other_is_not() -> None:
    found = recommend(Needs(), evidence((0.0, 0.1, 0.7, 0.6)))
    assert found.arm == "rag"
    both, base = found.out["tuned+rag"], found.out["base"]
    assert isinstance(both, Worse)
    assert (both.other, both.metric, both.criterion) == ("rag", METRIC, "curated labels")
    assert (both.mean, *both.ci95) == pytest.approx((0.1, 0.08, 0.12))
    assert isinstance(base, Dead)
    tuned = found.out["tuned"]
    assert isinstance(tuned, Worse)
    assert tuned.mean == pytest.approx(0.6)
    assert tuned.criterion == "wide knowledge"


@pytest.mark.parametrize(
    ("quality", "alike", "arm"),
    [
        ((0.50, 0.52, 0.55, 0.56), ["base", "tuned", "rag", "tuned+rag"], "base"),
        ((0.10, 0.70, 0.68, 0.72), ["tuned", "rag", "tuned+rag"], "rag"),
        ((0.10, 0.70, 0.20, 0.72), ["tuned", "tuned+rag"], "tuned"),
        ((0.10, 0.20, 0.70, 0.75), ["rag", "tuned+rag"], "rag"),
    ],
)
def test_of_arms_that_do_not_differ_significantly_the_one_with_fewer_parts_is_named(
    quality: tuple[float, ...], alike: list[Arm], arm: Arm
) -> None:
    found = recommend(
        Needs(),
        evidence(quality, dict.fromkeys(combinations(alike, 2), 9)),
    )
    assert found.arm == arm
    assert isinstance(found.because, Chosen)
    assert found.because.not_different_from == "tuned+rag"


def test_the_more_parts_of_an_arm_are_said_with_the_questions_that_would_decide() -> None:
    alike = evidence((0.1, 0.2, 0.68, 0.70), {("rag", "tuned+rag"): 1234})
    assert recommend(Needs(), alike).out["tuned+rag"] == NotBetter(
        criterion="low initial cost",
        other="rag",
        spending=Spending(unit="tokens a question", amount=405, price=None),
        close=True,
        more_questions=1234,
        tie="parts",
    )


def test_an_arm_that_is_worse_than_another_that_is_left_is_out() -> None:
    """tuned differs from rag, though not from tuned+rag, whose answers scatter more."""
    alike: dict[tuple[Arm, Arm], int] = {("tuned", "tuned+rag"): 9, ("rag", "tuned+rag"): 9}
    found = recommend(Needs(), evidence((0.0, 0.5, 0.6, 0.59), alike))
    assert found.arm == "rag"
    assert isinstance(found.out["tuned"], Worse)
    assert found.out["tuned"].other == "rag"


def with_records(quality: tuple[float, ...]) -> Evidence:
    """Evidence of all six arms; those that are there for fairness first."""
    four, base = evidence(quality[2:]), evidence(quality[2:]).arms["base"]
    order: tuple[Arm, ...] = ("fewshot", "rag-records", *ARMS)
    means = dict(zip(order, quality, strict=True))
    fair: dict[Arm, ArmFigures] = {
        arm: base.model_copy(update={"quality": {METRIC: mean_of(means[arm])}}) for arm in order[:2]
    }
    pairs = [
        four.differences[0].model_copy(
            update={"left": left, "right": right, "mean": gap, "different": abs(gap) > 0.05,
                    "ci95": (gap - 0.02, gap + 0.02), "more_questions": None}
        )
        for left, right in combinations(means, 2)
        for gap in [means[left] - means[right]]
    ]  # fmt: skip
    return replace(
        four,
        arms={**fair, **four.arms},
        differences=pairs,
        baselines={METRIC: baseline(0.02, means)},
    )


def mean_of(value: float) -> Mean:
    return Mean(mean=value, ci95=(value - 0.05, value + 0.05))


@pytest.mark.parametrize(
    ("quality", "arm"),
    [
        ((0.70, 0.70, 0.1, 0.70, 0.70, 0.70), "fewshot"),
        ((0.20, 0.70, 0.1, 0.70, 0.70, 0.70), "rag"),
        ((0.20, 0.70, 0.1, 0.70, 0.30, 0.70), "rag-records"),
        ((0.20, 0.30, 0.1, 0.70, 0.30, 0.70), "tuned"),
        ((0.70, 0.70, 0.7, 0.70, 0.70, 0.70), "base"),
    ],
)
def test_ties_go_to_examples_then_to_an_index_then_to_an_adapter(
    quality: tuple[float, ...], arm: Arm
) -> None:
    assert recommend(Needs(), with_records(quality)).arm == arm


def test_what_arms_that_search_the_records_lack_and_fail() -> None:
    best = with_records((0.3, 0.4, 0.1, 0.5, 0.9, 0.8))
    found = recommend(Needs(), best)
    assert found.arm == "rag"
    assert found.out["fewshot"].criterion == found.out["rag-records"].criterion == "wide knowledge"
    examples = recommend(Needs(), with_records((0.9, 0.1, 0.1, 0.2, 0.3, 0.2)))
    assert examples.arm == "fewshot"
    assert examples.out["base"].criterion == "few labels"
    cited = recommend(Needs(cite_sources=True), with_records((0.9, 0.8, 0.1, 0.2, 0.3, 0.2)))
    assert cited.arm == "rag-records"
    assert isinstance(cited.out["fewshot"], NoSources)
    daily = recommend(Needs(documents_change="daily"), with_records((0.9, 0.8, 0.1, 0.2, 0.3, 0.2)))
    assert daily.arm == "rag"
    assert isinstance(daily.out["rag-records"], LearntOnly)


@pytest.mark.parametrize(
    ("needs", "quality", "arm"),
    [
        ({}, RAG_IS_BEST, "rag"),
        ({"p95_latency_ms": 20}, RAG_IS_BEST, "tuned"),
        ({}, TUNED_IS_BEST, "tuned"),
        ({"cite_sources": True}, TUNED_IS_BEST, "rag"),
        ({"documents_change": "daily"}, TUNED_IS_BEST, "rag"),
        ({"documents_change": "weekly"}, TUNED_IS_BEST, "tuned"),
        ({"min_quality": 0.85}, TUNED_IS_BEST, "tuned"),
        ({"min_quality": 0.95}, TUNED_IS_BEST, None),
        ({"p95_latency_ms": 20, "cite_sources": True}, TUNED_IS_BEST, None),
    ],
)
def test_needs_change_the_verdict(
    needs: dict[str, Any], quality: tuple[float, ...], arm: str | None
) -> None:
    assert recommend(Needs(**needs), evidence(quality)).arm == arm


@pytest.mark.parametrize(
    ("queries", "change", "arm"),
    [
        (100, "never", "rag"),  # 300 s of tuning a month against 3 s of indexing
        (9_000, "never", "rag"),
        (20_000, "never", "tuned"),  # 300 + 200 s against 3 + 800 s
        (20_000, "weekly", "rag"),  # 15,600 s of tuning
        (10_000_000, "weekly", "tuned"),
    ],
)
def test_few_queries_favour_retrieval_and_many_favour_tuning(
    queries: int, change: Any, arm: str
) -> None:
    alike = evidence((0.0, 0.7, 0.72, 0.0), {("tuned", "rag"): 500})
    needs = Needs(queries_per_month=queries, documents_change=change)
    assert recommend(needs, alike).arm == arm


def test_an_arm_over_the_budget_is_out_with_its_price() -> None:
    needs = Needs(queries_per_month=3_600_000, price_per_hour=2.0, budget_per_month=25)
    found = recommend(needs, evidence(RAG_IS_BEST))
    assert found.arm == "tuned"  # 10.08 machine hours against 40
    rag = found.out["rag"]
    assert isinstance(rag, OverBudget)
    assert (rag.criterion, rag.limit) == ("high throughput", 25)
    assert rag.price == pytest.approx(80.0, abs=0.01)
    assert isinstance(found.because, Chosen)
    assert found.because.spending.unit == "machine seconds a month"
    assert found.because.spending.amount == pytest.approx(36_300)
    assert found.because.spending.price == pytest.approx(20.17, abs=0.01)


def test_needs_that_no_arm_meets_leave_none() -> None:
    found = recommend(Needs(min_quality=0.95), evidence((0.0, 0.1, 0.7, 0.6)))
    assert found.arm is None
    assert found.because == NeedsUnmet()
    assert found.out["rag"] == TooPoor(
        criterion="predictable quality", metric=METRIC, mean=0.7, limit=0.95
    )


@pytest.mark.parametrize(
    ("needs", "arm", "reason"),
    [
        (
            {"p95_latency_ms": 20},
            "rag",
            TooSlow(criterion="low latency", p95_ms=120, limit_ms=20),
        ),
        (
            {"documents_change": "daily"},
            "tuned",
            LearntOnly(criterion="changing data", seconds=3601),
        ),
        ({"cite_sources": True}, "tuned", NoSources(criterion="sources")),
    ],
)
def test_what_fails_a_need_is_out_by_its_measurement_and_a_criterion(
    needs: dict[str, Any], arm: Arm, reason: Reason
) -> None:
    assert recommend(Needs(**needs), evidence(TUNED_IS_BEST)).out[arm] == reason


def test_an_arm_that_takes_longer_than_its_documents_stay_the_same_is_out() -> None:
    weekly = Needs(documents_change="weekly")
    assert recommend(weekly, evidence(TUNED_IS_BEST)).arm == "tuned"
    slow = with_arm(evidence(TUNED_IS_BEST), "tuned", freshness_seconds=8 * 86_400.0)
    found = recommend(weekly, slow)
    assert found.arm == "rag"
    assert found.out["tuned"] == TooStale(
        criterion="changing data", seconds=8 * 86_400, documents_change="weekly"
    )
    assert recommend(Needs(documents_change="monthly"), slow).arm == "tuned"


def test_arms_that_answer_nothing_are_no_basis_for_a_choice() -> None:
    found = recommend(Needs(), evidence((0.0, 0.01, 0.02, 0.03)))
    assert found.arm is None
    assert found.because == NothingAnswered(metric=METRIC, least=0.05, needs_failed=False)
    assert {why.kind for why in found.out.values()} == {"dead"}


def test_where_needs_leave_only_arms_that_answer_nothing_they_are_named_as_the_reason() -> None:
    found = recommend(Needs(p95_latency_ms=20), evidence((0.0, 0.01, 0.9, 0.8)))
    assert found.arm is None
    assert set(found.out) == {"base", "tuned", "rag", "tuned+rag"}
    assert found.because == NothingAnswered(metric=METRIC, least=0.05, needs_failed=True)


def test_an_arm_that_is_not_above_the_best_constant_answer_is_dead() -> None:
    """The mailroom's majority label gets a token F1 of 0.61 without a model."""
    quality = (0.2, 0.9, 0.6, 0.3)
    labels = replace(evidence(quality), baselines={METRIC: constant(0.61, quality)})
    found = recommend(Needs(p95_latency_ms=200), labels)
    assert found.arm == "tuned"
    assert found.out["rag"] == Dead(
        criterion="right answers",
        metric=METRIC,
        mean=0.6,
        floor=0.05,
        constant=0.61,
        answer="six",
    )
    quality = (0.2, 0.6, 0.6, 0.3)
    none = replace(evidence(quality), baselines={METRIC: constant(0.61, quality)})
    assert recommend(Needs(), none).because == ConstantWins(
        metric=METRIC, answer="six", mean=0.61, needs_failed=False
    )


def test_an_arm_that_is_not_significantly_above_the_constant_answer_is_undecided() -> None:
    found = recommend(Needs(), evidence((0.01, 0.02, 0.06, 0.03)))
    assert found.arm is None
    assert found.because == Undecided(
        metric=METRIC,
        questions=100,
        least=30,
        few=False,
        leading="rag",
        mean=0.06,
        other=None,
        more_questions=250,
        smallest=0.08,
    )


def test_few_questions_leave_it_undecided_with_how_many_more_it_takes() -> None:
    few = replace(evidence(RAG_IS_BEST), questions=5)
    why = recommend(Needs(), few).because
    assert isinstance(why, Undecided)
    assert (why.few, why.leading, why.more_questions) == (True, "rag", 25)
    assert recommend(Needs(), replace(few, questions=20)).arm == "rag"
    close = evidence((0.1, 0.5, 0.52, 0.1), {("tuned", "rag"): 400})
    why = recommend(Needs(), replace(close, questions=29)).because
    assert isinstance(why, Undecided)
    assert (why.leading, why.other, why.more_questions) == ("rag", "tuned", 400)


def test_an_arm_gives_way_to_one_that_is_shown_to_be_better_than_base() -> None:
    """rag has as few parts as tuned and is no worse, but is not shown to be better than base."""
    alike: dict[tuple[Arm, Arm], int] = {("base", "rag"): 60, ("tuned", "rag"): 90}
    found = recommend(Needs(), evidence((0.5, 0.6, 0.56, 0.2), alike))
    assert found.arm == "tuned"
    rag = found.out["rag"]
    assert isinstance(rag, NotBetter)
    assert rag.tie == "base"


def test_where_what_beats_base_is_beaten_by_what_does_not_it_is_undecided() -> None:
    """rag beats tuned and tuned beats base, but rag's answers scatter too much to beat base."""
    alike: dict[tuple[Arm, Arm], int] = {("base", "rag"): 60}
    found = recommend(Needs(), evidence((0.5, 0.6, 0.7, 0.2), alike))
    assert found.arm is None
    assert isinstance(found.because, Undecided)
    assert (found.because.leading, found.because.other) == ("rag", "base")


STEPS = FewSteps(severity="forbids", arms=("tuned", "tuned+rag"), steps=5)


def test_a_fault_keeps_a_low_score_from_being_held_against_an_arm() -> None:
    found = recommend(Needs(), replace(evidence((0.0, 0.01, 0.9, 0.8)), faults=[STEPS]))
    assert found.arm == "rag"
    assert found.out["tuned"] == AtFault(
        criterion="right answers", metric=METRIC, mean=0.01, faults=[STEPS]
    )
    assert isinstance(found.out["tuned+rag"], AtFault)
    assert isinstance(found.out["base"], Dead)


def test_a_fault_does_not_keep_the_best_arm_from_being_named() -> None:
    assert recommend(Needs(), replace(evidence(TUNED_IS_BEST), faults=[STEPS])).arm == "tuned"


def test_base_does_not_win_by_the_faults_of_the_others() -> None:
    quality = (0.5, 0.1, 0.2, 0.2)
    assert recommend(Needs(), evidence(quality)).arm == "base"
    found = recommend(Needs(), replace(evidence(quality), faults=[STEPS]))
    assert found.arm is None
    assert found.because == StudyAtFault(metric=METRIC, leading="base", mean=0.5, faults=[STEPS])
    weak = STEPS.model_copy(update={"severity": "weakens"})
    assert recommend(Needs(), replace(evidence(quality), faults=[weak])).arm == "base"
    full = replace(evidence((0.97, 0.1, 0.2, 0.2)), faults=[STEPS])
    assert recommend(Needs(), full).arm == "base"
    unheard = recommend(Needs(cite_sources=False, p95_latency_ms=20), evidence(quality))
    assert unheard.arm == "base"


def test_a_need_that_rules_an_arm_out_rules_out_its_faults() -> None:
    slow = replace(
        evidence((0.5, 0.1, 0.2, 0.2)), faults=[STEPS.model_copy(update={"arms": ("rag",)})]
    )
    assert recommend(Needs(), slow).arm is None
    assert recommend(Needs(p95_latency_ms=20), slow).arm == "base"


def test_the_model_is_called_too_weak_only_where_no_fault_holds() -> None:
    nothing = evidence((0.0, 0.01, 0.02, 0.03))
    found = recommend(Needs(), replace(nothing, faults=[STEPS])).because
    assert found == StudyAtFault(metric=METRIC, leading="tuned+rag", mean=0.03, faults=[STEPS])
    few = FewQuestions(severity="forbids", arms=("base", "tuned", "rag", "tuned+rag"), questions=9)
    found = recommend(Needs(), replace(nothing, faults=[few, STEPS], questions=9)).because
    assert isinstance(found, StudyAtFault)
    assert found.faults == [few, STEPS]
    found = recommend(Needs(), replace(nothing, faults=[few], questions=9)).because
    assert isinstance(found, Undecided)


def test_a_budget_without_a_price_cannot_be_kept() -> None:
    with pytest.raises(ValueError, match="give queries_per_month too"):
        Needs(budget_per_month=5)
    with pytest.raises(ValueError, match="give price_per_hour too"):
        Needs(budget_per_month=5, queries_per_month=5)
