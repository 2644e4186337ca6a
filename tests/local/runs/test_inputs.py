from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.recipe import file as recipe_file
from ragtune.recipe.schema import ARMS
from ragtune.runs.inputs import StageInputs, outdated
from ragtune.runs.workbench import Workbench

SERVER = "rag.qdrant=http://127.0.0.1:6333"

Inputs = Callable[..., StageInputs]


@pytest.fixture
def inputs(project: Callable[..., Path], tmp_path: Path) -> Inputs:
    """The inputs of the tiny project's stages, with overrides, in a run folder of this name."""
    path = project()

    def of(*overrides: str, folder: str = "tiny-1") -> StageInputs:
        recipe = recipe_file.load(path, overrides)
        return StageInputs(recipe, Workbench(recipe, tmp_path / folder))

    return of


def stages(of: StageInputs) -> dict[str, Any]:
    """The stages of a ``lock.json`` that were all made by one call."""
    answers = {f"answers/{arm}": of.answers(arm) for arm in ARMS}
    made = {"data": of.data(), "tune": of.tune(), **answers}
    return {name: {"inputs": one} for name, one in made.items()}


def test_an_embedded_index_may_be_copied_and_a_servers_collection_may_not(inputs: Inputs) -> None:
    here, there = inputs(), inputs(folder="tiny-2")
    assert here.kept_index() == here.index() == there.kept_index()
    served = inputs(SERVER)
    assert served.index() == here.index()
    kept = [here, served, inputs(SERVER, folder="tiny-2"), inputs(f"{SERVER}4")]
    different = {str(of.kept_index()) for of in kept}
    assert len(different) == len(kept)


@pytest.mark.parametrize(
    ("override", "arms"),
    [("study.batch_size=3", list(ARMS)), (SERVER, ["rag", "tuned+rag"])],
)
def test_answers_are_asked_again_where_what_they_took_may_differ(
    inputs: Inputs, override: str, arms: list[str]
) -> None:
    before, now = inputs(), inputs(override)
    assert [arm for arm in ARMS if before.answers(arm) != now.answers(arm)] == arms


def test_what_is_older_than_its_data_or_its_adapter_is_named(inputs: Inputs) -> None:
    made = stages(inputs())
    assert outdated(made, ARMS) == []
    answers = [f"answers/{arm}" for arm in ARMS]

    fewer = stages(inputs("records.test_fraction=0.5"))
    assert outdated({**made, "data": fewer["data"]}, ARMS) == ["tune", *answers]
    assert outdated({**made, "data": fewer["data"], "tune": fewer["tune"]}, ARMS) == answers

    longer = stages(inputs("tune.epoch=3"))
    tuned = ["answers/tuned", "answers/tuned+rag"]
    assert outdated({**made, "tune": longer["tune"]}, ARMS) == tuned
    assert outdated({**made, "tune": longer["tune"]}, ["base", "rag"]) == []


def test_what_is_not_made_yet_is_not_outdated(inputs: Inputs) -> None:
    made = stages(inputs())
    assert outdated({"data": made["data"]}, ARMS) == []
    assert outdated({"data": made["data"], "tune": made["tune"]}, ARMS) == []
