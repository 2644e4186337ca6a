"""The search for settings of tuning, as a stage of a run of the tiny model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import RecipeError
from ragtune.core.files import read_json
from ragtune.core.progress import Silent
from ragtune.core.run_folder import RunFolder
from ragtune.recipe import file as recipe_file
from ragtune.recipe.arms import Adapter
from ragtune.recipe.schema import Recipe
from ragtune.runs import check, trials
from ragtune.runs.lock import Lock
from ragtune.runs.materials import Materials, restricted
from ragtune.runs.plan import named, plan, tuning
from ragtune.runs.run import Run
from ragtune.runs.stage import Stage, Work, inputs
from ragtune.runs.stages.search import Search
from ragtune.runs.view import UndeclaredRead, view

MINUTES = 0.1
QUICK = (f"tune.search={{minutes: {MINUTES}}}", "tune.epoch=1")


class Untested(Materials):
    """Materials that nobody may read the test questions of."""

    @property
    def questions(self) -> Any:
        raise AssertionError("the test questions were read")


@pytest.fixture
def unhurried(with_search: Recipe) -> Recipe:
    """The same with time for every candidate, also on a busy machine."""
    return with_search.with_fields({"tune.search.minutes": 30})


@pytest.fixture
def with_search(project: Callable[..., Path]) -> Recipe:
    """The tiny project, with a search, and a file of test questions."""
    path = project(study={"questions": "questions.jsonl", "max_new_tokens": 4})
    ask(path, "What is the ferry called?")
    return recipe_file.load(path, QUICK)


def ask(path: Path, question: str) -> None:
    row = {"instruction": question, "response": "Petrel", "document": "ferry.md"}
    (path.parent / "questions.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")


def until_tuned(recipe: Recipe, folder: Path, materials: Materials) -> RunFolder:
    """Make the stages up to the adapters; no other reads the questions."""
    stages = [stage for stage in tuning(recipe) if stage.name != "questions"]
    with Run(folder) as run:
        for stage in stages:
            run.make(stage, recipe, materials, environment=dict)
    return RunFolder(folder)


def searching(recipe: Recipe, adapter: Adapter) -> Stage:
    return next(stage for stage in plan(recipe) if stage.name == f"search/{adapter}")


def work_of(recipe: Recipe, stage: Stage, run: Path, out: Path) -> Work:
    out.mkdir(exist_ok=True)
    materials = restricted(Untested(recipe), stage.materials)
    return Work(view(recipe, stage.fields), materials, RunFolder(run), RunFolder(out), Silent())


def test_both_adapters_are_searched_for_the_same_time_and_tuned_with_what_won(
    with_search: Recipe, tmp_path: Path
) -> None:
    """The test questions are not read: reading them fails."""
    recipe = with_search
    folder = until_tuned(recipe, tmp_path / "run", Untested(recipe))
    found = {name: read_json(folder.search(name)) for name in recipe.adapters}
    assert {*found} == {"tuned", "tuned+rag"}
    for name, search in found.items():
        assert search["budget_seconds"] == 60 * MINUTES
        assert search["development"] == 6
        assert search["records"] == 6
        assert search["trials"][0]["set"] == search["own"]
        assert search["winner"] in [trial["set"] for trial in search["trials"]]
        settings = read_json(folder.training(name))["settings"]
        assert search["winner"].items() <= settings.items()
        assert settings["max_input_length"] == recipe.tune.max_input_length
        config = read_json(folder.adapter(name) / "adapter_config.json")
        assert config["r"] == search["winner"]["lora_r"]
        assert {*config["target_modules"]} == {*search["winner"]["target_modules"].split(",")}


def test_the_search_declares_no_test_questions_and_cannot_read_them(with_search: Recipe) -> None:
    for adapter in with_search.adapters:
        stage = Search(adapter, with_search)
        assert "questions" not in stage.materials
        assert "questions" not in stage.after
        seen = restricted(Materials(with_search), stage.materials)
        for name in ("questions", "split"):
            with pytest.raises(UndeclaredRead):
                getattr(seen, name)


def test_other_test_questions_leave_the_search_as_it_is(with_search: Recipe) -> None:
    def keys() -> dict[str, Any]:
        materials, lock = Materials(with_search), Lock()
        stages = plan(with_search)
        return {stage.name: inputs(stage, with_search, materials, lock) for stage in stages}

    before = keys()
    ask(with_search.path("recipe.yaml"), "Which is the name of the ferry?")
    after = keys()
    assert before["questions"] != after["questions"]
    for adapter in with_search.adapters:
        assert before[f"search/{adapter}"] == after[f"search/{adapter}"]


def test_only_what_retrieves_is_searched_with_passages(with_search: Recipe) -> None:
    assert not searching(with_search, "tuned").after
    assert searching(with_search, "tuned+rag").after == ("index",)


def test_without_a_search_there_is_no_such_stage_and_the_recipes_values_are_used(
    project: Callable[..., Path],
) -> None:
    stages = named(plan(recipe_file.load(project())))
    assert not [name for name in stages if name.startswith("search/")]


def test_an_interrupted_search_goes_on_with_the_trials_and_the_time_that_are_left(
    unhurried: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, out = searching(unhurried, "tuned"), tmp_path / "out"
    work = work_of(unhurried, stage, tmp_path, out)
    asked = trials.Trials._asked
    made = list[int]()

    def twice(self: Any, *given: Any) -> Any:
        made.append(1)
        if len(made) == 3:
            raise KeyboardInterrupt
        return asked(self, *given)

    monkeypatch.setattr(trials.Trials, "_asked", twice)
    with pytest.raises(KeyboardInterrupt):
        stage.make(work)
    kept = trials.Ledger(out)
    assert [trial.finished for trial in kept.trials] == [True, True, False]
    assert kept.spent == pytest.approx(sum(trial.seconds for trial in kept.trials))

    stage.make(work)
    found = read_json(work.out.search("tuned"))
    assert found["trials"][:3] == [trial.to_json() for trial in kept.trials]
    again = [(t["candidate"], t["rung"]) for t in found["trials"] if t["score"] is not None]
    assert len(again) == len(set(again))
    assert (2, 0) in again
    assert found["seconds"] == pytest.approx(
        sum(trial["seconds"] for trial in found["trials"]), abs=0.01
    )


def test_what_a_killed_trial_has_spent_is_not_given_back(tmp_path: Path) -> None:
    ledger = trials.Ledger(tmp_path)
    ledger.note(3.0)
    assert ledger.spent == 0  # too soon after the last note
    ledger._noted -= trials.NOTED + 1
    ledger.note(7.5)
    assert trials.Ledger(tmp_path).spent == 7.5


def test_the_recipes_own_settings_win_where_the_budget_is_too_short_for_a_trial(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    recipe = recipe_file.load(project(), ("tune.search={minutes: 0.000001}", "tune.epoch=1"))
    folder = until_tuned(recipe, tmp_path / "run", Untested(recipe))
    found = read_json(folder.search("tuned"))
    assert found["decided"] is None
    assert found["winner"] == found["own"]
    assert read_json(folder.training("tuned"))["settings"]["epoch"] == 1


def test_settings_that_diverge_are_the_worst(
    unhurried: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ragtune.core.errors import DivergedError
    from ragtune.tuning import trainer

    tune = trainer.tune

    def diverges(spec: Any, *given: Any, **more: Any) -> Any:
        if spec.learning_rate != unhurried.tune.learning_rate:
            raise DivergedError("tuning diverged at step 3")
        return tune(spec, *given, **more)

    monkeypatch.setattr(trainer, "tune", diverges)
    stage = searching(unhurried, "tuned")
    work = work_of(unhurried, stage, tmp_path, tmp_path / "out")
    stage.make(work)
    found = read_json(work.out.search("tuned"))
    assert found["winner"]["learning_rate"] == unhurried.tune.learning_rate
    lost = [t for t in found["trials"] if t["set"]["learning_rate"] != 0.01]
    assert lost
    assert all((t["score"], t["loss"]) == (0.0, None) for t in lost)


def test_records_that_cannot_be_divided_once_more_are_refused_before_the_run(
    project: Callable[..., Path],
) -> None:
    path = project(
        records={"source": "one.jsonl", "context": "passage"},
        study={"questions": "records.jsonl", "max_new_tokens": 4},
    )
    row = {"instruction": "When?", "response": "six", "document": "harbour.md"}
    (path.parent / "one.jsonl").write_text(json.dumps(row), encoding="utf-8")
    recipe = recipe_file.load(path, QUICK)
    with pytest.raises(RecipeError, match=r"tune\.search: no development questions"):
        check.everything(recipe, Materials(recipe))


def test_what_answers_are_judged_by_is_part_of_a_recipe_that_searches(
    project: Callable[..., Path],
) -> None:
    path = project()
    for more, same in (((), True), (QUICK, False)):
        one, other = (
            recipe_file.load(path, (*more, f"study.metric={metric}"))
            for metric in ("token_f1", "right")
        )
        assert (one.identity == other.identity) is same


def test_whatever_tunes_takes_the_values_of_its_search(project: Callable[..., Path]) -> None:
    more = ("study.seeds=2", "study.learning_curve=[0.5]")
    stages = {stage.name: stage for stage in plan(recipe_file.load(project(), (*QUICK, *more)))}
    for adapter in ("tuned", "tuned+rag"):
        for name in (f"tune/{adapter}", f"seed/2/{adapter}", "curve/0.5"):
            assert f"search/{adapter}" in stages[name].after
        before = [*stages].index(f"search/{adapter}")
        assert before < [*stages].index(f"tune/{adapter}")


def test_adapters_that_are_shared_are_asked_with_passages_and_without(
    project: Callable[..., Path],
) -> None:
    recipe = recipe_file.load(project(), (*QUICK, "tune.adapters=shared"))
    (stage,) = (s for s in plan(recipe) if isinstance(s, Search))
    assert stage.name == "search/tuned"
    assert stage.asks == [False, True]
    assert stage.passages
