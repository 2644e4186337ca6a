"""The figures stage: what it reads beside the run folder."""

from pathlib import Path
from typing import Any

from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune.results.schema import Results
from ragtune.runs.lock import Lock
from ragtune.runs.stages.figures import Figures
from ragtune.sources.records import Record
from tests.local.results.made_up import write_run
from tests.local.runs.working import working

LONG = "The harbour opens at six each morning and closes when the last ferry has left the pier."
NEAR = "Every day the port is opened at six o'clock, and it shuts after the final boat departs."


def made(folder: Path, response: str, said: str, **study: Any) -> tuple[Figures, Recipe]:
    asked = [Record("When does it open?", response)]
    section = {"arms": ["base"], **study}
    results = write_run(folder, ("base",), asked, {"base": [said]}, documents=None, study=section)
    recipe = results.recipe.filled
    return Figures(recipe, Lock(), (), RunFolder(folder)), recipe


def test_short_references_need_the_run_folder_alone(tmp_path: Path) -> None:
    assert made(tmp_path, "six", "six")[0].materials == ()
    assert made(tmp_path, LONG, NEAR, metric="rouge_l")[0].materials == ()


def test_long_references_are_compared_by_the_embedder(tmp_path: Path) -> None:
    stage, recipe = made(tmp_path, LONG, NEAR)
    assert stage.materials == ("embedder",)
    stage.make(working(recipe, tmp_path))
    found = Results.load(RunFolder(tmp_path).results)
    assert (found.deciding.metric, found.deciding.why) == ("similarity", "long references")
    quality = found.arms["base"].quality
    assert quality["similarity"].mean > quality["rouge_l"].mean
    assert 0.5 < quality["similarity"].mean < 1
