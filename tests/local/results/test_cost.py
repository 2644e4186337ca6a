import pytest

from ragtune.recipe.schema import Needs
from ragtune.results.cost import (
    arm_cost,
    break_even,
    fixed_seconds,
    monthly_price,
    monthly_seconds,
)
from ragtune.results.rates import BreakEven, Cost, Rates
from ragtune.results.rows import AnswerRow, LatencyRow

STAGES = {"tune/tuned": 3600.0, "tune/tuned+rag": 7200.0, "index": 60.0, "index-records": 6.0}
ANSWERS = [
    AnswerRow(
        question="", text="", prompt_tokens=1, completion_tokens=1, cut_tokens=0, seconds=seconds
    )
    for seconds in (0.01, 0.03)
]
TIMES = [LatencyRow(retrieval=seconds, prefill=0, decode=0) for seconds in (0.02, 0.04)]


def cost(tuning: float, indexing: float, thousand: float) -> Cost:
    unpriced = dict.fromkeys(("initial_price", "price_per_1000", "initial_kwh", "kwh_per_1000"))
    return Cost(
        tuning_seconds=tuning, indexing_seconds=indexing, seconds_per_1000=thousand, **unpriced
    )


def test_an_arm_costs_what_was_made_for_it_and_what_a_question_takes() -> None:
    both = arm_cost("tuned+rag", STAGES, ANSWERS, TIMES, Needs(price_per_hour=3.6, watts=100))
    assert both.to_json() == {
        "tuning_seconds": 3600.0,
        "indexing_seconds": 60.0,
        "seconds_per_1000": pytest.approx(50.0),
        "initial_price": 3.66,
        "price_per_1000": pytest.approx(0.05),
        "initial_kwh": pytest.approx(0.1016667, abs=1e-6),
        "kwh_per_1000": pytest.approx(0.0013889, abs=1e-6),
        "rates": None,
    }
    base = arm_cost("base", STAGES, ANSWERS, TIMES, Needs())
    assert base.tuning_seconds == base.indexing_seconds == 0
    assert base.seconds_per_1000 == 20
    assert base.initial_price is None
    assert base.kwh_per_1000 is None


def test_what_knows_the_documents_by_heart_is_tuned_again_when_they_change() -> None:
    assert fixed_seconds("tuned", cost(3600, 0, 50), "monthly") == 3600
    assert fixed_seconds("tuned+rag", cost(3600, 60, 50), "monthly") == 300 + 60
    both = monthly_seconds("tuned+rag", cost(3600, 60, 50), 2000, "monthly")
    assert both == pytest.approx(360 + 100)


def test_break_even_is_where_both_cost_the_same() -> None:
    tuned, rag = cost(3600, 0, 10), cost(0, 36, 40)
    found = break_even({"tuned": tuned, "rag": rag}, Needs(documents_change="monthly"))
    assert found == BreakEven(documents_change="monthly", queries_per_month=118_800.0, up_to=None)
    assert monthly_seconds("tuned", tuned, 118_800, "monthly") == pytest.approx(
        monthly_seconds("rag", rag, 118_800, "monthly")
    )
    never = BreakEven(documents_change="never", queries_per_month=None, up_to=None)
    assert break_even({"tuned": cost(3600, 0, 50), "rag": rag}, Needs()) == never
    assert break_even({"base": tuned}, Needs()) is None


def test_what_is_made_for_less_and_asked_for_more_pays_up_to_some_queries() -> None:
    tuned, rag = cost(12, 0, 50), cost(0, 36, 40)
    found = break_even({"tuned": tuned, "rag": rag}, Needs())
    assert found == BreakEven(documents_change="never", queries_per_month=0.0, up_to=200.0)
    assert monthly_seconds("tuned", tuned, 200, "never") == pytest.approx(
        monthly_seconds("rag", rag, 200, "never")
    )
    always = break_even({"tuned": cost(12, 0, 40), "rag": rag}, Needs())
    assert always == BreakEven(documents_change="never", queries_per_month=0.0, up_to=None)


ENDPOINT = Rates(price_per_hour=1.5, kept_hours=730, tuning_price=12.0)
IMPORT = Rates(price_per_hour=1.5, kept_hours=0, tuning_price=12.0)


def test_an_endpoint_costs_the_same_at_no_queries_and_an_import_nothing() -> None:
    kept = cost(600, 0, 36).model_copy(update={"rates": ENDPOINT})
    used = cost(600, 0, 36).model_copy(update={"rates": IMPORT})
    needs = Needs(documents_change="monthly")
    for queries in (0, 1000, 1_000_000):
        assert monthly_price("tuned", kept, needs, queries) == 12 + 730 * 1.5
    assert monthly_price("tuned", used, needs, 0) == 12
    assert monthly_price("tuned", used, needs, 100_000) == 12 + 1.5
    busy = 3 * 730 * 100_000 - 1
    assert monthly_price("tuned", kept, needs, busy) == 12 + 3 * 730 * 1.5


def test_where_a_target_serves_the_model_its_prices_count_and_searching_is_not_on_its_machine() -> (
    None
):
    needs = Needs(price_per_hour=3.6, watts=100)
    found = arm_cost("tuned+rag", STAGES, ANSWERS, TIMES, needs, rates=IMPORT)
    assert found.seconds_per_1000 == 20
    assert found.initial_price == 12 + 60 * 3.6 / 3600
    assert found.price_per_1000 == pytest.approx(20 * 1.5 / 3600, abs=1e-6)
    assert found.kwh_per_1000 is None
    kept = arm_cost("rag", STAGES, ANSWERS, TIMES, needs, rates=ENDPOINT)
    assert kept.price_per_1000 is None
    asked = Needs(queries_per_month=730_000)
    kept = arm_cost("rag", STAGES, ANSWERS, TIMES, asked, rates=ENDPOINT)
    assert kept.price_per_1000 == 1.5
    assert break_even({"tuned": found, "rag": kept}, needs) is None


def test_without_a_price_a_month_is_not_priced() -> None:
    unknown = ENDPOINT.model_copy(update={"price_per_hour": None})
    unpriced = cost(600, 0, 36).model_copy(update={"rates": unknown})
    assert monthly_price("tuned", unpriced, Needs(), 1000) is None
    assert monthly_price("tuned", cost(600, 0, 36), Needs(), 1000) is None
