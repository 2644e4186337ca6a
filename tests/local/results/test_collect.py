from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import RunError
from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune.results.collect import collect
from ragtune.results.schema import Results
from ragtune.results.verdict.reasons import NeedsUnmet
from ragtune.sources.records import Record
from tests.local.results.made_up import (
    NOTES,
    REFUSAL,
    TRAINING,
    write_run,
)


def test_figures_follow_from_the_answers(tmp_path: Path) -> None:
    results = write_run(tmp_path)
    base, rag = results.arms["base"], results.arms["rag"]
    assert results.unanswerable == 1
    assert base.quality["exact_match"].mean == 0.5
    assert rag.quality["token_f1"].mean == pytest.approx((1 + 2 / 3) / 2, abs=1e-6)
    assert rag.refusal.unanswerable_refused is not None
    assert rag.refusal.unanswerable_refused.mean == 1.0
    assert base.refusal.unanswerable_refused is not None
    assert base.refusal.unanswerable_refused.mean == 0.0
    assert rag.refusal.answerable_refused is not None
    assert rag.refusal.answerable_refused.mean == 0.0
    assert rag.latency_ms.p50 == 30.0
    assert rag.cost.seconds_per_1000 == pytest.approx(110)
    assert results.retrieval is not None
    assert results.retrieval.recall_at_k.mean == 0.5
    (pair,) = [d for d in results.differences if d.metric == "exact_match"]
    assert (pair.left, pair.right, pair.mean) == ("base", "rag", 0.0)
    assert results.failures.right == {"base": 1, "rag": 3}
    assert results.failures.flips["retrieval_fixed"] == 2


ARMS = ("base", "tuned", "rag", "tuned+rag")


ASKED = [Record(f"What does ticket {n} cost?", f"{n} crowns") for n in range(1, 41)]
RIGHT = {"base": 0, "tuned": 20, "rag": 32, "tuned+rag": 33}
"""How many of these each arm has right."""


def many(path: Path, texts: dict[str, list[str]] | None = None, **recipe: Any) -> Results:
    """Enough questions for a verdict."""
    said = {
        arm: [q.response if n < count else "none" for n, q in enumerate(ASKED)]
        for arm, count in RIGHT.items()
    }
    return write_run(path, ARMS, ASKED, {**said, **(texts or {})}, **recipe)


def test_arms_that_search_the_records_pay_for_an_index_of_them(tmp_path: Path) -> None:
    arms = ("base", "fewshot", "tuned", "rag-records", "rag", "tuned+rag")
    found = write_run(tmp_path, arms).arms
    once = {arm: (of.cost.tuning_seconds, of.cost.indexing_seconds) for arm, of in found.items()}
    assert once == {
        "base": (0, 0),
        "fewshot": (0, 0.5),
        "tuned": (60, 0),
        "rag-records": (0, 0.5),
        "rag": (0, 1.5),
        "tuned+rag": (70, 1.5),
    }
    assert found["fewshot"].cost.seconds_per_1000 == found["rag"].cost.seconds_per_1000
    fresh = {arm for arm, of in found.items() if of.freshness_seconds is not None}
    assert fresh == {"tuned", "rag", "tuned+rag"}


def test_needs_weigh_the_same_answers_again(tmp_path: Path) -> None:
    assert many(tmp_path).recommendation.arm == "rag"
    quick = many(tmp_path, needs={"p95_latency_ms": 20})
    assert quick.recommendation.because == NeedsUnmet()
    priced = many(tmp_path, needs={"queries_per_month": 9, "price_per_hour": 36})
    assert priced.arms["tuned"].cost.initial_price == 0.6
    assert priced.recommendation.arm == "rag"


def test_the_best_constant_answer_is_there_by_every_metric_of_single_answers(
    tmp_path: Path,
) -> None:
    """Of 40 labels 28 are the same."""
    asked = [Record(f"Which is {n}?", ("no", "yes", "yes")[n % 3]) for n in range(42)]
    said = {"base": ["yes"] * 42}
    found = write_run(tmp_path, ("base",), asked, said, documents=None)
    assert found.baselines["right"].mean == pytest.approx(2 / 3, abs=1e-6)
    assert found.baselines["right"].answer == "yes"
    assert set(found.baselines) >= {"right", "token_f1", "exact_match", "rouge_l"}
    assert "macro_f1" not in found.baselines
    base = found.baselines["right"].against["base"]
    assert (base.left, base.right, base.mean, base.different) == ("base", "constant", 0.0, False)
    assert found.recommendation.out["base"].kind == "dead"


def test_dead_arms_have_no_break_even_and_no_speed(tmp_path: Path) -> None:
    alive = many(tmp_path)
    assert alive.break_even is not None
    assert {"low latency", "low initial cost"} <= criteria(alive)
    dead = many(tmp_path, {"tuned": ["none"] * 40})
    assert dead.recommendation.arm == "rag"
    assert dead.break_even is None
    assert criteria(dead) == {"narrow task", "wide knowledge", "curated labels", "few labels"}


def criteria(results: Results) -> set[str]:
    return {line.criterion for line in results.recommendation.criteria}


def test_the_verdict_says_whether_the_other_metrics_agree(tmp_path: Path) -> None:
    said = many(tmp_path).recommendation
    others = {other.metric: other.arm for other in said.other_metrics}
    assert {"token_f1": "rag", "exact_match": "rag", "rouge_l": "rag"}.items() <= others.items()
    assert "right" not in others
    assert said.survives
    assert said.turns is None
    assert said.smallest_difference is not None


def test_questions_inside_and_outside_of_the_records_are_measured_apart(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    inside = [True] * 20 + [False] * 20
    write_json(folder.coverage, {"by": "document", "inside": inside})
    found = many(tmp_path).coverage
    assert found is not None
    assert found.inside is not None
    assert (found.inside.questions, found.inside.arms["tuned"].mean) == (20, 1.0)
    assert found.outside is not None
    assert (found.outside.questions, found.outside.arms["tuned"].mean) == (20, 0.0)
    assert found.outside.difference is not None
    assert (found.outside.difference.left, found.outside.difference.right) == ("tuned", "rag")
    write_json(folder.coverage, {"by": "document", "inside": inside[:-1]})  # of other questions
    assert many(tmp_path).coverage is None


def test_a_study_of_refusals_alone_is_judged_by_them(tmp_path: Path) -> None:
    asked = [Record("Why?", REFUSAL, category="x"), Record("How?", REFUSAL, category="y")]
    results = write_run(tmp_path, ("base",), asked, {"base": ["because", REFUSAL]}, documents=None)
    assert results.arms["base"].quality["exact_match"].mean == 0.5
    assert results.arms["base"].categories == {}
    assert results.judged == 2


def test_passages_of_what_was_refused_by_score_are_not_counted_as_cut(tmp_path: Path) -> None:
    assert write_run(tmp_path).arms["rag"].tokens.cut_passages == 2
    assert write_run(tmp_path, refusing="rag").arms["rag"].tokens.cut_passages == 0


def test_labels_have_a_macro_f1_and_their_number(tmp_path: Path) -> None:
    asked = [Record(f"Which is {n}?", ("yes", "no")[n % 2]) for n in range(10)]
    said = {"base": ["yes"] * 10}
    results = write_run(tmp_path, ("base",), asked, said, documents=None)
    assert results.labels == 2
    assert results.arms["base"].quality["macro_f1"].mean == pytest.approx(1 / 3, abs=1e-6)
    free = write_run(tmp_path)
    assert free.labels is None
    assert "macro_f1" not in free.arms["base"].quality


def test_a_resumed_tuning_and_an_updated_index_cost_all_their_seconds(tmp_path: Path) -> None:
    results, folder = write_run(tmp_path, ("tuned", "rag")), RunFolder(tmp_path)
    held = {"documents": {"a.md": 1}, "points": 1, "skipped": {}}
    for tuning, indexing, expected in ((90.0, 4.5, (90.0, 4.5)), (50.0, 1.0, (60.0, 1.5))):
        write_json(folder.training("tuned"), {**TRAINING, "seconds": tuning})
        write_json(folder.manifest, {**held, "seconds": indexing})
        found = collect(results.recipe.filled, folder, NOTES)
        assert (found.seconds["tune/tuned"], found.seconds["index"]) == expected
        assert found.arms["tuned"].cost.tuning_seconds == expected[0]
        assert found.arms["rag"].cost.indexing_seconds == expected[1]


def test_a_line_that_is_no_answer_is_named(tmp_path: Path) -> None:
    results, folder = write_run(tmp_path), RunFolder(tmp_path)
    folder.answers("rag").write_text('{"question": "x", "text": "y"}\n')
    with pytest.raises(RunError, match=r"rag\.jsonl: prompt_tokens: .*; go on with `ragtune run`"):
        collect(results.recipe.filled, folder, NOTES)
