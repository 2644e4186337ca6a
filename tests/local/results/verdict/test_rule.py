from typing import Any

import pytest

from ragtune.recipe.schema import Needs
from ragtune.results.verdict.rule import recommend
from tests.local.results.verdict.figures import figures

RAG_IS_BEST = (0.0, 0.5, 0.9, 0.8)
TUNED_IS_BEST = (0.0, 0.9, 0.5, 0.4)


def test_the_best_arm_is_named_with_why_each_other_is_not() -> None:
    found = recommend(Needs(), figures((0.0, 0.1, 0.7, 0.6)))
    assert found["arm"] == "rag"
    assert found["out"]["tuned+rag"] == {
        "why": "token F1 lower than rag's by 0.10 (0.08 to 0.12)",
        "criterion": "curated labels",
    }
    assert found["out"]["base"] == {
        "why": "token F1 lower than rag's by 0.70 (0.68 to 0.72)",
        "criterion": "wide knowledge",
    }


def test_of_arms_that_cannot_be_told_apart_the_cheaper_is_taken() -> None:
    found = recommend(Needs(), figures((0.1, 0.68, 0.70, 0.1), {("tuned", "rag"): 1234}))
    assert found["arm"] == "tuned"
    assert found["because"].endswith("not distinguishable from rag")
    assert found["out"]["rag"]["criterion"] == "high throughput"
    assert found["out"]["rag"]["why"] == (
        "not distinguishable from tuned, at 405 tokens a question; "
        "about 1,200 more questions would tell"
    )


def test_a_few_tokens_saved_do_not_outweigh_a_better_quality() -> None:
    near = figures((0.0, 0.0, 0.07, 0.12), {("rag", "tuned+rag"): 50}, (64, 64, 376, 377))
    assert recommend(Needs(), near)["arm"] == "tuned+rag"
    far = figures((0.0, 0.0, 0.07, 0.12), {("rag", "tuned+rag"): 50}, (64, 64, 340, 377))
    assert recommend(Needs(), far)["arm"] == "rag"


def test_an_arm_that_is_worse_than_another_that_is_left_is_out() -> None:
    """tuned is told apart from rag, though not from tuned+rag, whose answers scatter more."""
    found = recommend(Needs(), figures((0.0, 0.5, 0.6, 0.61), {("tuned", "tuned+rag"): 9}))
    assert found["arm"] == "tuned+rag"
    assert "lower than rag's by 0.10" in found["out"]["tuned"]["why"]


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
    assert recommend(Needs(**needs), figures(quality))["arm"] == arm


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
    alike = figures((0.0, 0.7, 0.72, 0.0), {("tuned", "rag"): 500})
    needs = Needs(queries_per_month=queries, documents_change=change)
    assert recommend(needs, alike)["arm"] == arm


def test_an_arm_over_the_budget_is_out_with_its_price() -> None:
    needs = Needs(queries_per_month=3_600_000, price_per_hour=2.0, budget_per_month=25)
    found = recommend(needs, figures(RAG_IS_BEST))
    assert found["arm"] == "tuned"  # 10.08 machine hours against 40
    assert found["out"]["rag"]["criterion"] == "high throughput"
    assert found["out"]["rag"]["why"] == "80.00 a month, over needs.budget_per_month 25"
    assert found["because"] == "token F1 0.50 at 10.1 machine hours a month (20.17)"


def test_needs_that_no_arm_meets_leave_none() -> None:
    found = recommend(Needs(min_quality=0.95), figures((0.0, 0.1, 0.7, 0.6)))
    assert found["arm"] is None
    assert found["out"]["rag"] == {
        "why": "token F1 0.70, under needs.min_quality 0.95",
        "criterion": "predictable quality",
    }


@pytest.mark.parametrize(
    ("needs", "arm", "criterion", "measured"),
    [
        ({"p95_latency_ms": 20}, "rag", "low latency", "p95 latency 120 ms"),
        ({"documents_change": "daily"}, "tuned", "changing data", "tuned anew (3,601 s)"),
        ({"cite_sources": True}, "tuned", "sources", "cites no sources"),
    ],
)
def test_what_fails_a_need_is_out_by_its_measurement_and_a_criterion(
    needs: dict[str, Any], arm: str, criterion: str, measured: str
) -> None:
    reason = recommend(Needs(**needs), figures(TUNED_IS_BEST))["out"][arm]
    assert reason["criterion"] == criterion
    assert measured in reason["why"]


def test_an_arm_that_takes_longer_than_its_documents_stay_the_same_is_out() -> None:
    slow = figures(TUNED_IS_BEST)
    assert recommend(Needs(documents_change="weekly"), slow)["arm"] == "tuned"
    slow["arms"]["tuned"]["freshness_seconds"] = 8 * 86_400.0
    found = recommend(Needs(documents_change="weekly"), slow)
    assert found["arm"] == "rag"
    assert found["out"]["tuned"]["criterion"] == "changing data"
    assert recommend(Needs(documents_change="monthly"), slow)["arm"] == "tuned"


def test_arms_that_answer_nothing_are_no_basis_for_a_choice() -> None:
    found = recommend(Needs(), figures((0.0, 0.01, 0.02, 0.03)))
    assert found["arm"] is None
    assert "too weak" in found["because"]


def test_where_needs_leave_only_arms_that_answer_nothing_they_are_named_as_the_reason() -> None:
    found = recommend(Needs(p95_latency_ms=20), figures((0.0, 0.01, 0.9, 0.8)))
    assert found["arm"] is None
    assert set(found["out"]) == {"rag", "tuned+rag"}
    assert "no arm that meets the needs" in found["because"]
    assert "too weak" not in found["because"]


def test_a_budget_without_a_price_cannot_be_kept() -> None:
    with pytest.raises(ValueError, match="give queries_per_month too"):
        Needs(budget_per_month=5)
    with pytest.raises(ValueError, match="give price_per_hour too"):
        Needs(budget_per_month=5, queries_per_month=5)
