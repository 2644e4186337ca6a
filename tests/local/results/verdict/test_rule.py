from typing import Any

import pytest

from ragtune.recipe.schema import Arm, Needs
from ragtune.results.verdict.reasons import (
    Chosen,
    LearntOnly,
    NeedsUnmet,
    NoSources,
    NotBetter,
    NothingAnswered,
    OverBudget,
    Reason,
    Spending,
    TooPoor,
    TooSlow,
    TooStale,
    Worse,
)
from ragtune.results.verdict.rule import recommend
from tests.local.results.verdict.figures import METRIC, evidence, with_arm

RAG_IS_BEST = (0.0, 0.5, 0.9, 0.8)
TUNED_IS_BEST = (0.0, 0.9, 0.5, 0.4)


def test_the_best_arm_is_named_with_why_each_other_is_not() -> None:
    found = recommend(Needs(), evidence((0.0, 0.1, 0.7, 0.6)))
    assert found.arm == "rag"
    both, base = found.out["tuned+rag"], found.out["base"]
    assert isinstance(both, Worse)
    assert (both.other, both.metric, both.criterion) == ("rag", METRIC, "curated labels")
    assert (both.mean, *both.ci95) == pytest.approx((0.1, 0.08, 0.12))
    assert isinstance(base, Worse)
    assert base.mean == pytest.approx(0.7)
    assert base.criterion == "wide knowledge"


def test_of_arms_that_do_not_differ_significantly_the_cheaper_is_taken() -> None:
    found = recommend(Needs(), evidence((0.1, 0.68, 0.70, 0.1), {("tuned", "rag"): 1234}))
    assert found.arm == "tuned"
    assert isinstance(found.because, Chosen)
    assert found.because.not_different_from == "rag"
    assert found.out["rag"] == NotBetter(
        criterion="high throughput",
        other="tuned",
        spending=Spending(unit="tokens a question", amount=405, price=None),
        close=False,
        more_questions=1234,
    )


def test_a_few_tokens_saved_do_not_outweigh_a_better_quality() -> None:
    near = evidence((0.0, 0.0, 0.07, 0.12), {("rag", "tuned+rag"): 50}, (64, 64, 376, 377))
    assert recommend(Needs(), near).arm == "tuned+rag"
    far = evidence((0.0, 0.0, 0.07, 0.12), {("rag", "tuned+rag"): 50}, (64, 64, 340, 377))
    assert recommend(Needs(), far).arm == "rag"


def test_an_arm_that_is_worse_than_another_that_is_left_is_out() -> None:
    """tuned differs from rag, though not from tuned+rag, whose answers scatter more."""
    found = recommend(Needs(), evidence((0.0, 0.5, 0.6, 0.61), {("tuned", "tuned+rag"): 9}))
    assert found.arm == "tuned+rag"
    assert isinstance(found.out["tuned"], Worse)
    assert found.out["tuned"].other == "rag"


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


def test_where_needs_leave_only_arms_that_answer_nothing_they_are_named_as_the_reason() -> None:
    found = recommend(Needs(p95_latency_ms=20), evidence((0.0, 0.01, 0.9, 0.8)))
    assert found.arm is None
    assert set(found.out) == {"rag", "tuned+rag"}
    assert found.because == NothingAnswered(metric=METRIC, least=0.05, needs_failed=True)


def test_a_budget_without_a_price_cannot_be_kept() -> None:
    with pytest.raises(ValueError, match="give queries_per_month too"):
        Needs(budget_per_month=5)
    with pytest.raises(ValueError, match="give price_per_hour too"):
        Needs(budget_per_month=5, queries_per_month=5)
