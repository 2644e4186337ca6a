import pytest

from ragtune.recipe.schema import Needs
from ragtune.results.cost import arm_cost, break_even, fixed_seconds, monthly_seconds

STAGES = {"tune": 3600.0, "index": 60.0}
ANSWERS = [{"seconds": 0.01}, {"seconds": 0.03}]
TIMES = [{"retrieval": 0.02}, {"retrieval": 0.04}]


def test_an_arm_costs_what_was_made_for_it_and_what_a_question_takes() -> None:
    both = arm_cost("tuned+rag", STAGES, ANSWERS, TIMES, Needs(price_per_hour=3.6, watts=100))
    assert both == {
        "tuning_seconds": 3600.0,
        "indexing_seconds": 60.0,
        "seconds_per_1000": pytest.approx(50.0),
        "initial_price": 3.66,
        "price_per_1000": pytest.approx(0.05),
        "initial_kwh": pytest.approx(0.1016667, abs=1e-6),
        "kwh_per_1000": pytest.approx(0.0013889, abs=1e-6),
    }
    base = arm_cost("base", STAGES, ANSWERS, TIMES, Needs())
    assert base["tuning_seconds"] == base["indexing_seconds"] == 0
    assert base["seconds_per_1000"] == 20
    assert base["initial_price"] is None
    assert base["kwh_per_1000"] is None


def test_what_knows_the_documents_by_heart_is_tuned_anew_when_they_change() -> None:
    cost = arm_cost("tuned+rag", STAGES, ANSWERS, TIMES, Needs())
    assert fixed_seconds("tuned", {**cost, "indexing_seconds": 0}, "monthly") == 3600
    assert fixed_seconds("tuned+rag", cost, "monthly") == 300 + 60
    assert monthly_seconds("tuned+rag", cost, 2000, "monthly") == pytest.approx(360 + 100)


def test_break_even_is_where_both_cost_the_same() -> None:
    tuned = {"tuning_seconds": 3600.0, "indexing_seconds": 0.0, "seconds_per_1000": 10.0}
    rag = {"tuning_seconds": 0.0, "indexing_seconds": 36.0, "seconds_per_1000": 40.0}
    arms = {"tuned": {"cost": tuned}, "rag": {"cost": rag}}
    found = break_even(arms, Needs(documents_change="monthly"))
    assert found == {
        "documents_change": "monthly",
        "queries_per_month": 118_800.0,
        "up_to": None,
    }
    assert monthly_seconds("tuned", tuned, 118_800, "monthly") == pytest.approx(
        monthly_seconds("rag", rag, 118_800, "monthly")
    )
    slow = {"tuned": {"cost": {**tuned, "seconds_per_1000": 50.0}}, "rag": {"cost": rag}}
    never = {"documents_change": "never", "queries_per_month": None, "up_to": None}
    assert break_even(slow, Needs()) == never
    assert break_even({"base": {"cost": tuned}}, Needs()) is None


def test_what_is_made_for_less_and_asked_for_more_pays_up_to_some_queries() -> None:
    tuned = {"tuning_seconds": 12.0, "indexing_seconds": 0.0, "seconds_per_1000": 50.0}
    rag = {"tuning_seconds": 0.0, "indexing_seconds": 36.0, "seconds_per_1000": 40.0}
    found = break_even({"tuned": {"cost": tuned}, "rag": {"cost": rag}}, Needs())
    assert found == {"documents_change": "never", "queries_per_month": 0.0, "up_to": 200.0}
    assert monthly_seconds("tuned", tuned, 200, "never") == pytest.approx(
        monthly_seconds("rag", rag, 200, "never")
    )
    as_quick = {**tuned, "seconds_per_1000": 40.0}
    always = break_even({"tuned": {"cost": as_quick}, "rag": {"cost": rag}}, Needs())
    assert always == {"documents_change": "never", "queries_per_month": 0.0, "up_to": None}
