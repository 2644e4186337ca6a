from pathlib import Path

import pytest

from ragtune.core.files import write_json
from ragtune.recipe.schema import Recipe
from ragtune.results import schema
from ragtune.results.collect import SCHEMA, collect
from tests.local.results.made_up import REFUSAL, write_run

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
    from ragtune.sources.records import Record

    asked = [Record("Why?", REFUSAL), Record("How?", REFUSAL)]
    figures = write_run(tmp_path, ("base",), asked, {"base": ["because", REFUSAL]}, documents=None)
    assert figures["arms"]["base"]["quality"]["exact_match"]["mean"] == 0.5


def test_passages_of_what_was_refused_by_score_are_not_counted_as_cut(tmp_path: Path) -> None:
    assert write_run(tmp_path)["arms"]["rag"]["tokens"]["cut_passages"] == 2
    figures = write_run(tmp_path, refusing="rag")
    assert figures["arms"]["rag"]["tokens"]["cut_passages"] == 0
    schema.Results.model_validate(figures)


def test_a_resumed_tuning_and_an_updated_index_cost_all_their_seconds(tmp_path: Path) -> None:
    figures = write_run(tmp_path, ("tuned", "rag"))
    recipe = Recipe.model_validate(figures["recipe"]["filled"])
    lock = {"stages": {"tune": {"seconds": 60.0}, "index": {"seconds": 1.5}}}
    held = {"documents": {"a.md": 1}, "points": 1, "skipped": {}}
    for tuning, indexing, expected in ((90.0, 4.5, (90.0, 4.5)), (50.0, 1.0, (60.0, 1.5))):
        write_json(tmp_path / "adapter" / "training.json", {"epochs": [], "seconds": tuning})
        write_json(tmp_path / "index" / "manifest.json", {**held, "seconds": indexing})
        found = collect(recipe, tmp_path, lock)
        assert (found["seconds"]["tune"], found["seconds"]["index"]) == expected
        assert found["arms"]["tuned"]["cost"]["tuning_seconds"] == expected[0]
        assert found["arms"]["rag"]["cost"]["indexing_seconds"] == expected[1]
