"""Every arm of a finished run, asked of served models."""

from collections.abc import Callable
from typing import Any

import pytest

from ragtune.core.errors import CloudError, RunError
from ragtune.core.files import own, read_jsonl
from ragtune.core.progress import Silent
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import ARMS
from ragtune.results.schema import Results
from ragtune.results.verdict.reasons import OverBudget
from ragtune.runs.lock import Lock
from ragtune.runs.open import recipe_of
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.study import study
from ragtune_cloud.target import Side
from tests.cloud.study.made_up import (
    QUESTIONS,
    RETRIEVAL,
    MadeUp,
    from_passages,
    passage,
    rag_wins,
    record,
)

TIMED = 20
Make = Callable[..., RunFolder]
FEW = {"arms": ["base", "rag"]}
"""Arms of a study whose figures are not what is looked at."""


def studied(run: RunFolder, serving: MadeUp, **options: bool) -> Results:
    return study(serving, recipe_of(run.path), run, Silent(), **options)


def folder(run: RunFolder) -> RunFolder:
    return CloudFolder(run).study("job-1")


def test_every_arm_is_asked_with_the_runs_own_passages_and_the_figures_are_those_of_a_run(
    run: RunFolder, serving: MadeUp
) -> None:
    found = studied(run, serving)
    assert list(found.arms) == list(ARMS)
    right = {arm: figures.right.mean for arm, figures in found.arms.items()}
    assert min(right["rag"], right["tuned+rag"]) > 0.5
    assert max(right["base"], right["tuned"]) < 0.05
    assert found.recommendation.arm == "rag"
    assert Results.load(folder(run).results).to_json() == found.to_json()
    assert serving.deployments == [("base", "tuned")]
    assert serving.there == 0
    for model in serving.models.values():
        holding = {text for text in model.asked if passage(7)["text"] in text}
        assert len(holding) == 1, "one prompt a model has the passage of question 7"
        assert model.limits == {(12, ())}
    times = found.arms["rag"].latency_ms
    assert (times.retrieval_p50, times.decode_p50) == (1000 * RETRIEVAL, 500)
    page = folder(run).report.read_text()
    assert "Here and at full size" in page
    assert "$1.50 an hour, asked or not: $1,095 a month of 730 hours, at no queries too" in page


def test_examples_end_as_the_served_model_ends_a_text(
    made: Make, serving: MadeUp, tiny_tokenizer: Any
) -> None:
    few = {"arms": ["base", "fewshot"]}
    serving.end_token = "<|end_of_text|>"
    studied(made(study=few), serving)
    examples = [text for text in serving.models["base"].asked if "<|end_of_text|>" in text]
    assert len(examples) == QUESTIONS + TIMED
    assert any(f"{record(0).response}<|end_of_text|>\n\n" in text for text in examples)
    assert not [t for t in serving.models["base"].asked if tiny_tokenizer.eos_token in t]


def test_an_arm_that_is_asked_of_a_model_tuned_for_another_one_had_no_fair_chance(
    made: Make, serving: MadeUp
) -> None:
    found = studied(made(study={"arms": ["base", "tuned", "tuned+rag"]}), serving)
    (fault,) = [fault for fault in found.faults if fault.kind == "other_adapter"]
    assert (fault.severity, fault.arms, fault.adapter) == ("forbids", ("tuned",), "tuned+rag")


def test_a_question_that_the_model_fails_to_answer_is_an_outcome_and_wrong(
    made: Make, serving: MadeUp
) -> None:
    run = made(study=FEW)

    def fails_once(side: Side, prompt: str) -> str:
        return "424: out of memory" if passage(7)["text"] in prompt else from_passages(side, prompt)

    serving.says = fails_once
    found = studied(run, serving)
    assert found.failures.right == {"base": 0, "rag": QUESTIONS - 1}
    assert found.full_size is not None
    assert found.full_size.failed == {"rag": 1}
    (fault,) = [fault for fault in found.faults if fault.kind == "answers_failed"]
    assert (fault.severity, fault.failed) == ("weakens", {"rag": 1})
    (answer,) = [row for row in read_jsonl(folder(run).answers("rag")) if row["failed"]]
    assert (answer["text"], answer["failed"]) == ("", "424: out of memory")
    assert "(error 424: out of memory)" in folder(run).report.read_text()

    asked, serving.says = serving.asked, from_passages
    assert studied(run, serving).failures.right["rag"] == QUESTIONS - 1
    assert serving.asked == asked
    assert studied(run, serving, failed=True).failures.right["rag"] == QUESTIONS
    assert serving.asked == asked + 1


def test_many_failures_forbid_a_verdict_against_the_arm(made: Make, serving: MadeUp) -> None:
    def fails(side: Side, prompt: str) -> str:
        return "424: too long" if "harbour opens" in prompt else from_passages(side, prompt)

    serving.says = fails
    found = studied(made(study=FEW), serving)
    (fault,) = [fault for fault in found.faults if fault.kind == "answers_failed"]
    assert (fault.severity, fault.arms) == ("forbids", ("rag",))
    assert found.recommendation.because.kind == "study_at_fault"


@pytest.mark.parametrize("answered", [1, 30, 2 * QUESTIONS + 3])
def test_a_study_that_was_broken_off_is_torn_down_and_goes_on_where_it_was(
    made: Make, serving: MadeUp, answered: int
) -> None:
    run, left = made(study=FEW), iter(range(answered))

    def breaks(side: Side, prompt: str) -> str:
        if next(left, None) is None:
            raise CloudError("the line is dead")
        return from_passages(side, prompt)

    serving.says = breaks
    with pytest.raises(CloudError, match="the line is dead"):
        studied(run, serving)
    assert serving.there == 0
    kept = len(read_jsonl(folder(run).path / "outcomes.jsonl"))
    assert kept == answered - (answered > 2 * QUESTIONS), "the warm-up before timing is no outcome"
    before, serving.says = serving.asked, from_passages
    found = studied(run, serving)
    assert found.arms["rag"].right.mean == 1
    warm_up = 1
    assert serving.asked - before == 2 * (QUESTIONS + TIMED) - kept + warm_up


def test_where_everything_is_answered_nothing_is_deployed(made: Make, serving: MadeUp) -> None:
    run = made(study=FEW)
    first = studied(run, serving)
    assert serving.deployments == [("base",)], "no arm is tuned, so no tuned model is paid for"
    assert studied(run, serving).to_json() == first.to_json()
    assert serving.deployments == [("base",)]


def test_an_idle_price_over_the_budget_turns_the_verdict_and_an_import_does_not(
    made: Make, serving: MadeUp
) -> None:
    needs = {"queries_per_month": 1000, "price_per_hour": 0.5, "budget_per_month": 500}
    run = made(rag_wins, study=FEW, needs=needs)
    found = studied(run, serving)
    assert found.full_size is not None
    assert (found.full_size.verdict_here, found.recommendation.arm) == ("rag", None)
    assert isinstance(found.recommendation.out["rag"], OverBudget)
    assert "The verdict turns" in folder(run).report.read_text()
    serving.kept = False
    found = studied(run, serving)
    assert found.recommendation.arm == "rag"
    assert "nothing at no queries" in folder(run).report.read_text()


def test_the_needs_can_say_what_serving_costs_and_for_how_long(made: Make, serving: MadeUp) -> None:
    priced = {"price_per_hour": 2.0, "hours_per_month": 100}
    needs = {"queries_per_month": 1000, "price_per_hour": 0.5, "budget_per_month": 500}
    found = studied(made(study=FEW, needs={**needs, "full_size": priced}), serving)
    rates = found.arms["rag"].cost.rates
    assert rates is not None
    assert (rates.price_per_hour, rates.kept_hours) == (2.0, 100)
    assert found.recommendation.arm == "rag"


def test_a_run_that_is_not_finished_or_in_use_is_refused_before_anything_is_paid_for(
    run: RunFolder, serving: MadeUp
) -> None:
    holding = own(folder(run).path)
    with pytest.raises(RunError, match="in use by process"):
        studied(run, serving)
    holding.close()
    lock = Lock.load(run)
    del lock.stages["answers/rag"]
    lock.save(run)
    with pytest.raises(RunError, match="answers/rag not made yet"):
        studied(run, serving)
    assert serving.deployments == []


def test_a_run_that_a_server_answered_has_no_model_to_serve(
    run: RunFolder, serving: MadeUp
) -> None:
    recipe = recipe_of(run.path)
    model: Any = recipe.model.model_copy(update={"engine": "http://127.0.0.1:1/v1"})
    remote = recipe.model_copy(update={"model": model})
    with pytest.raises(CloudError, match="there is no model of it to serve"):
        study(serving, remote, run, Silent())
