import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.progress import Silent
from ragtune.core.run_folder import RunFolder
from ragtune.recipe import file as recipe_file
from ragtune.recipe.arms import ARMS
from ragtune.recipe.schema import Recipe
from ragtune.runs.lock import Lock
from ragtune.runs.materials import Materials, restricted
from ragtune.runs.pipeline import Pipeline
from ragtune.runs.plan import named, plan
from ragtune.runs.run import Run
from ragtune.runs.stage import Stage, Work, inputs
from ragtune.runs.view import UndeclaredRead, values, view

EVERYTHING = (
    "tune.epoch=1",
    "study.learning_curve=[0.6]",
    "study.seeds=2",
    f"study.arms=[{','.join(ARMS)}]",
    "rag.refuse_below=0.01",
)
"""Overrides under which every stage is made but the threshold's."""


@pytest.fixture(scope="module")
def made(
    make_project: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Recipe, RunFolder]:
    """A finished run of the tiny project with every optional stage."""
    folder = tmp_path_factory.mktemp("made")
    recipe = recipe_file.load(make_project(folder / "project"), EVERYTHING)
    pipeline = Pipeline(recipe, folder / "runs" / recipe.run_name)
    pipeline.execute()
    return recipe, pipeline.run.folder


def test_the_recipe_has_every_stage(made: tuple[Recipe, RunFolder]) -> None:
    assert named(plan(made[0])) == [
        *("index", "questions", "data/tuned", "data/tuned+rag", "template"),
        *("tune/tuned", "tune/tuned+rag", "retrieval", "gold"),
        *("index-records", "retrieval-records", "examples"),
        *(f"answers/{arm}" for arm in ARMS),
        *("seed/2/tuned", "seed/2/tuned+rag", "recall/tuned", "recall/tuned+rag"),
        *("languages", "coverage", "leaks", "heldout", "forgetting", "curve/0.6", "freshness"),
    ]


@pytest.mark.parametrize("number", range(28))
def test_a_stage_reads_nothing_but_what_it_declares(
    made: tuple[Recipe, RunFolder], tmp_path: Path, number: int
) -> None:
    """Each is made in a folder that holds only the outputs of the stages that it follows."""
    recipe, folder = made
    stages = {stage.name: stage for stage in plan(recipe)}
    stage = list(stages.values())[number]
    run, out = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "out")
    for path in (run.path, out.path):
        path.mkdir()
    for before in stage.after:
        stages[before].copy(folder, run)
    materials = restricted(Materials(recipe), stage.materials)
    stage.make(Work(view(recipe, stage.fields), materials, run, out, Silent()))
    for output in stage.outputs(out):
        assert output.exists()


def changed(recipe: Recipe, path: Path, *overrides: str) -> set[str]:
    """The stages whose inputs differ between the recipe and the same with overrides."""
    lock = Lock()
    other = recipe_file.load(path, (*EVERYTHING, *overrides))
    here, there = Materials(recipe), Materials(other)  # each hashes its models and data once
    before = {s.name: inputs(s, recipe, here, lock) for s in plan(recipe)}
    after = {s.name: inputs(s, other, there, lock) for s in plan(other)}
    return {name for name in before if before[name] != after.get(name)}


def each(*stages: str) -> set[str]:
    """These stages of both adapters."""
    return {f"{stage}/{adapter}" for stage in stages for adapter in ("tuned", "tuned+rag")}


@pytest.mark.parametrize(
    ("override", "stages"),
    [
        ("seed=11", {*each("data", "tune", "seed/2"), "curve/0.6"}),
        (
            "study.refusal=no idea",
            {"answers/rag", "answers/tuned+rag", "seed/2/tuned+rag", "curve/0.6", "freshness"},
        ),
        (
            "study.batch_size=3",
            {"curve/0.6", *each("seed/2", "recall"), *(f"answers/{arm}" for arm in ARMS)},
        ),
        ("tune.epoch=3", {*each("tune", "seed/2"), "curve/0.6"}),
        ("records.without_gold=0.5", {"data/tuned+rag", "curve/0.6"}),
        ("study.shots=2", {"examples", "answers/fewshot"}),
        ("needs.min_quality=0.5", set()),
    ],
)
def test_a_field_is_in_the_key_of_each_stage_that_reads_it(
    project: Callable[..., Path], override: str, stages: set[str]
) -> None:
    path = project(study={"questions": "questions.jsonl", "max_new_tokens": 4})
    shutil.copy(path.parent / "records.jsonl", path.parent / "questions.jsonl")
    assert changed(recipe_file.load(path, EVERYTHING), path, override) == stages


def test_an_embedded_index_may_be_copied_and_a_servers_collection_may_not(
    project: Callable[..., Path],
) -> None:
    path = project()
    here = recipe_file.load(path)
    there = recipe_file.load(path, ("rag.qdrant=http://127.0.0.1:6333",))
    assert plan(here)[0].shared
    assert not plan(there)[0].shared


def test_rows_are_drawn_again_for_another_seed_beside_an_older_run(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    found: list[Any] = []
    for seed in (10, 11):
        path = project(documents=None, records={"source": "records.jsonl"})
        overrides = (f"seed={seed}", "study.questions=records.jsonl", "study.arms=[base]")
        recipe = recipe_file.load(path, overrides)
        folder = tmp_path / "runs" / recipe.run_name
        stages = [stage for stage in plan(recipe) if stage.name == "data/tuned"]
        with Run(folder) as run:
            for stage in stages:
                run.make(stage, recipe, Materials(recipe), environment=dict)
        found.append((folder / "data" / "train.jsonl").read_text())
    assert found[0] != found[1]
    assert sorted(found[0].splitlines()) == sorted(found[1].splitlines())


def test_a_view_shows_the_declared_fields_and_sections_only() -> None:
    recipe = Recipe.model_validate({"name": "r", "records": {"source": "r"}})
    seen = view(recipe, ("tune", "records.context"))
    assert seen.tune == recipe.tune
    assert seen.records.context == "input"
    for read in (lambda: seen.seed, lambda: seen.records.source, lambda: seen.identity):
        with pytest.raises(UndeclaredRead):
            read()
    assert values(recipe, ("seed", "records.context")) == {"seed": 10, "records.context": "input"}
    assert values(recipe, ("tune",))["tune.local.layout"] == "blocks"


def test_a_stage_declares_a_name_of_its_own(made: tuple[Recipe, RunFolder]) -> None:
    stages: list[Stage] = plan(made[0])
    assert len({*named(stages)}) == len(stages)
