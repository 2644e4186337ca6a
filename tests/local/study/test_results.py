from pathlib import Path

import pytest

from local.study import schema
from local.study.results import SCHEMA
from tests.local.made_up import REFUSAL, write_run

ROOT = Path(__file__).resolve().parents[3]


def test_figures_follow_from_the_answers(tmp_path: Path) -> None:
    figures = write_run(tmp_path)
    base, rag = figures["arms"]["base"], figures["arms"]["rag"]
    assert figures["unanswerable"] == 1
    assert base["quality"]["exact_match"]["mean"] == 0.5
    assert rag["quality"]["token_f1"]["mean"] == pytest.approx((1 + 2 / 3) / 2, abs=1e-6)
    assert rag["refusal"]["unanswerable_refused"]["mean"] == 1.0
    assert base["refusal"]["unanswerable_refused"]["mean"] == 0.0
    assert rag["refusal"]["answerable_refused"]["mean"] == 0.0
    assert rag["latency_ms"]["p50"] == 30.0
    assert rag["cost"]["seconds_per_1000"] == pytest.approx(110)
    assert figures["retrieval"]["recall_at_k"]["mean"] == 0.5
    (pair,) = [d for d in figures["differences"] if d["metric"] == "exact_match"]
    assert (pair["left"], pair["right"], pair["mean"]) == ("base", "rag", 0.0)
    assert figures["failures"]["right"] == {"base": 1, "rag": 3}
    assert figures["failures"]["flips"]["retrieval_fixed"] == 2


@pytest.mark.parametrize("arms", [("base",), ("base", "tuned", "rag", "tuned+rag")])
def test_results_are_what_the_schema_says(tmp_path: Path, arms: tuple[str, ...]) -> None:
    schema.Results.model_validate(write_run(tmp_path, arms))


def test_the_published_schema_is_the_present_one() -> None:
    published = (ROOT / "docs" / "results.schema.json").read_text(encoding="utf-8")
    assert published == schema.published()
    assert f'"const": {SCHEMA}' in published


def test_needs_weigh_the_same_answers_anew(tmp_path: Path) -> None:
    arms = ("base", "tuned", "rag", "tuned+rag")
    assert write_run(tmp_path, arms)["recommendation"]["arm"] == "rag"
    quick = write_run(tmp_path, arms, needs={"p95_latency_ms": 20})
    assert quick["recommendation"]["arm"] is None
    priced = write_run(tmp_path, arms, needs={"queries_per_month": 9, "price_per_hour": 36})
    assert priced["arms"]["tuned"]["cost"]["initial_price"] == 0.6
    assert priced["recommendation"]["arm"] == "base"


def test_a_study_of_refusals_alone_is_judged_by_them(tmp_path: Path) -> None:
    from local.records import Record

    asked = [Record("Why?", REFUSAL), Record("How?", REFUSAL)]
    figures = write_run(tmp_path, ("base",), asked, {"base": ["because", REFUSAL]}, documents=None)
    assert figures["arms"]["base"]["quality"]["exact_match"]["mean"] == 0.5
