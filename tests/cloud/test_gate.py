import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.files import digest
from ragtune.core.run_folder import RunFolder
from ragtune.recipe import file as recipe_file
from ragtune.results.data import DataCounts
from ragtune.results.faults import FewQuestions
from ragtune.results.schema import Difference, Results
from ragtune.results.statistics import compare
from ragtune.results.verdict.reasons import StudyAtFault
from ragtune.runs.lock import Lock
from ragtune.runs.open import open_run
from ragtune.runs.pipeline import Pipeline
from ragtune_cloud import gate
from tests.cloud.made_up import planned, recipe
from tests.cloud.study.made_up import (
    make_run,
    rag_wins,
    recipe_of_every_arm,
    tuned_rag_wins,
)

Call = Callable[..., tuple[int, str, str]]


def reasons(run: RunFolder, **sections: Any) -> str:
    return "; ".join(gate.reasons_against(recipe(**sections), run))


def unproven(figures: Results, **conditions: bool) -> str:
    return "; ".join(gate.unproven(recipe(promote=conditions).promote, figures))


def test_a_finished_proven_run_passes(run: RunFolder) -> None:
    assert reasons(run) == ""


@pytest.mark.parametrize(
    "name", ["data/train.jsonl", "data/template.json", "answers/tuned.jsonl", "results.json"]
)
def test_a_file_that_is_missing_or_was_changed_is_named(run: RunFolder, name: str) -> None:
    path = run.path / name
    path.write_bytes(path.read_bytes() + b" ")
    assert f"missing or changed since they were made: {name}; " in reasons(run)
    path.unlink()
    assert f"missing or changed since they were made: {name}; " in reasons(run)


def test_an_edited_lock_is_refused(run: RunFolder) -> None:
    content = json.loads(run.lock.read_text())
    content["data"]["questions_also_in_training"] = 0
    run.lock.write_text(json.dumps(content))
    assert "lock.json: edited or damaged" in reasons(run)


def test_an_unfinished_run_says_what_is_missing(run: RunFolder) -> None:
    lock = Lock.load(run)
    del lock.stages["tune/tuned"]
    lock.save(run)
    assert "tune/tuned not made yet" in reasons(run)
    assert "no run folder: lock.json is missing" in reasons(RunFolder(run.path / "none"))


@pytest.mark.parametrize(
    ("stage", "older"),
    [
        ("tune/tuned", "answers/tuned, recall/tuned, heldout, forgetting"),
        ("data/tuned", "tune/tuned, recall/tuned"),
        ("questions", "answers/base, answers/tuned, languages, coverage, heldout"),
        ("answers/base", "figures"),
    ],
)
def test_what_is_older_than_what_it_was_made_from_is_refused(
    run: RunFolder, *, stage: str, older: str
) -> None:
    lock = Lock.load(run)
    lock.stages[stage] = lock.stages[stage].model_copy(update={"outcome": digest("made again")})
    lock.save(run)
    assert f"{older} older than what they were made from; go on with `ragtune run`" in reasons(run)


def test_a_run_that_is_open_elsewhere_is_a_reason_and_the_gate_lets_go_of_it(
    run: RunFolder,
) -> None:
    with open_run(run.path):
        assert "in use" in reasons(run)
    assert planned(run).failures == []
    with open_run(run.path):
        pass


def test_what_is_tuned_is_what_the_run_recommends(run: RunFolder) -> None:
    figures = Results.load(run.results)
    assert figures.recommendation.arm == "tuned"
    assert unproven(figures) == ""
    other = named(figures, "base")
    assert "the run recommends base, which has no tuning in it" in unproven(other)
    assert "promote.tuned_beats_base: false tunes nevertheless" in unproven(other)
    assert unproven(other, tuned_beats_base=False) == ""


def test_a_run_that_tuning_on_top_of_retrieval_won_passes_and_its_own_rows_are_uploaded(
    tmp_path: Path, tiny_llama: Path
) -> None:
    made_from = recipe_of_every_arm(tiny_llama)
    run = make_run(tmp_path / "runs" / "harbour", made_from, tuned_rag_wins)
    assert Results.load(run.results).recommendation.arm == "tuned+rag"
    assert gate.reasons_against(made_from, run) == []
    assert gate.promoted(made_from, run) == "tuned+rag"
    assert gate.uploaded(made_from, run)[0] == "data/train-rag.jsonl"


def test_a_run_that_retrieval_won_has_nothing_to_train_and_says_so(
    tmp_path: Path, tiny_llama: Path
) -> None:
    made_from = recipe_of_every_arm(tiny_llama)
    run = make_run(tmp_path / "runs" / "harbour", made_from, rag_wins)
    (reason,) = gate.reasons_against(made_from, run)
    assert "the run recommends rag, which has no tuning in it: nothing to train" in reason
    assert "`ragtune cloud study RUN --arms rag` asks the untuned model of it" in reason


def test_tuning_must_help_the_recommended_arm_by_more_than_chance(run: RunFolder) -> None:
    figures = Results.load(run.results)
    scores = {"base": [0.0] * 8, "tuned": [1.0, 0.0] + [0.0] * 6}
    (pair,) = compare(scores, 10)
    metric = figures.recommendation.metric
    close = figures.model_copy(update={"differences": [Difference(metric=metric, **dict(pair))]})
    low, high = pair.ci95
    assert f"differs from base by {-high:.3f} to {-low:.3f} (95 %)" in unproven(close)
    alone = figures.model_copy(update={"differences": []})
    assert "has no base arm to compare it with; add it to study.arms" in unproven(alone)


def test_tuned_is_judged_by_the_metric_of_the_verdict(run: RunFolder) -> None:
    figures = Results.load(run.results)
    verdict = figures.recommendation.model_copy(update={"metric": "rouge_l"})
    others = [d for d in figures.differences if d.metric != "rouge_l"]
    found = figures.model_copy(update={"recommendation": verdict, "differences": others})
    assert "has no base arm to compare it with" in unproven(found)


def test_a_run_without_a_verdict_is_no_case_for_tuning(run: RunFolder) -> None:
    figures = Results.load(run.results)
    few = FewQuestions(severity="forbids", arms=("base", "tuned"), questions=9)
    why = StudyAtFault(metric="token_f1", leading="tuned", mean=0.5, faults=[few])
    said = figures.recommendation.model_copy(update={"arm": None, "because": why})
    found = figures.model_copy(update={"recommendation": said})
    assert "the run names no arm: the best, tuned, " in unproven(found)


def named(figures: Results, arm: str) -> Results:
    said = figures.recommendation.model_copy(update={"arm": arm})
    return figures.model_copy(update={"recommendation": said})


def test_a_leak_is_refused(run: RunFolder) -> None:
    leaked = DataCounts(questions_also_in_training=2)
    figures = Results.load(run.results).model_copy(update={"data": leaked})
    assert "2 held-out questions are among the training rows" in unproven(figures)
    assert unproven(figures, no_leaks=False) == ""


def test_the_figures_of_another_recipe_are_refused(run: RunFolder) -> None:
    assert "of another recipe" in reasons(run, seed=11)


def test_where_it_runs_and_what_it_must_show_are_no_part_of_the_identity(run: RunFolder) -> None:
    other = {"cloud": {"region": "eu-west-1"}, "promote": {"no_leaks": False}}
    assert recipe(**other).identity == recipe().identity
    assert reasons(run, **other, needs={"min_quality": 0.5}) == ""


def test_a_recipe_that_was_edited_after_the_run_is_neither_reported_nor_promoted(
    run: RunFolder, called: Call
) -> None:
    text = run.recipe.read_text()
    assert text.count("learning_rate: 0.0001") == 1
    run.recipe.write_text(text.replace("learning_rate: 0.0001", "learning_rate: 0.0002"))
    for verb, *options in (("report",), ("promote",), ("promote", "--set", "cloud.role=other")):
        code, out, err = called(verb, run, *options)
        assert (code, out) == (6, "")
        assert "edited since the run" in err
    assert "edited since the run" in reasons(run, tune={"learning_rate": 2e-4})


def test_an_index_that_is_newer_than_the_answers_is_refused(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    path = project(study={"arms": ["rag"], "max_new_tokens": 4, "latency_questions": 1})
    made_from = recipe_file.load(path, ("promote.tuned_beats_base=false",))
    folder = tmp_path / "runs" / made_from.run_name
    Pipeline(made_from, folder).execute()
    assert gate.reasons_against(made_from, RunFolder(folder)) == []
    (path.parent / "docs" / "fog.md").write_text("# Fog\n\nIn fog the bell rings nine times.\n")
    Pipeline(made_from, folder).index()
    (reason,) = gate.reasons_against(made_from, RunFolder(folder))
    assert "retrieval, gold, answers/rag, freshness older than" in reason
