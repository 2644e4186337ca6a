import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import INTERRUPTED, ModelError
from ragtune.core.progress import Silent
from ragtune.recipe import file as recipe_file
from ragtune.runs import worker
from ragtune.runs.pipeline import Pipeline


def test_two_processes_come_to_the_losses_of_one(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    settings = ("tune.lora_dropout=0", "records.with_passages=0", "tune.epoch=1")
    recipe = recipe_file.load(project(), (*settings, "tune.gradient_accumulation_steps=4"))
    found: list[Any] = []
    for processes in (1, 2):
        folder = tmp_path / f"{processes}" / recipe.run_name
        found.append(Pipeline(recipe, folder, Silent()).tune(processes)["tuned"])
        assert (folder / "adapter" / "adapter_model.safetensors").exists()
    alone, together = found
    assert len(together["steps"]) == len(alone["steps"]) > 1
    for one, two in zip(alone["steps"], together["steps"], strict=True):
        assert two == pytest.approx(one, rel=1e-3)
    assert together["epochs"][0] == pytest.approx(alone["epochs"][0], rel=1e-3)
    assert together["best_epoch"] == alone["best_epoch"]


def test_what_a_process_ended_with_is_what_the_command_ends_with(tmp_path: Path) -> None:
    said = tmp_path / "error-0.json"
    said.write_text(json.dumps({"kind": "ModelError", "message": "tuning diverged at step 3"}))
    error = worker._error(said, ModelError.exit_code)
    assert isinstance(error, ModelError)
    assert str(error) == "tuning diverged at step 3"
    assert isinstance(worker._error(said, INTERRUPTED), KeyboardInterrupt)
    killed = worker._error(tmp_path / "error-1.json", -9)
    assert "ended with code -9" in str(killed)
