from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ragtune.recipe import file as recipe_file
from ragtune.recipe.schema import Recipe
from ragtune.runs.check import predict
from ragtune.runs.materials import Materials
from ragtune.runs.stages import parts
from ragtune.tuning.direct.passes import DirectPasses
from ragtune.tuning.prediction import Prediction
from tests.local.runs.working import working


def predicted(recipe: Recipe) -> Prediction:
    *_, last = predict(recipe, Materials(recipe)).values()
    return last


def test_a_prediction_is_that_of_the_rows_the_epochs_and_the_rate(
    project: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter([0.0, 10.0] * 2)
    monkeypatch.setattr("ragtune.tuning.prediction.perf_counter", lambda: next(ticks))

    alone = "records.with_passages=0"
    two, four = (
        predicted(recipe_file.load(project(), (alone, epochs)))
        for epochs in ("tune.epoch=2", "tune.epoch=4")
    )
    assert two.tokens_a_second == pytest.approx(3 * 64 / 10)
    assert two.peak_gib > 0.01
    assert four.minutes == pytest.approx(2 * two.minutes)
    bench = working(recipe_file.load(project(), (alone,)), tmp_path)
    rows = [
        {"instruction": r.instruction, "context": "", "response": r.response}
        for r in bench.materials.train
    ]
    census = parts.samples(bench, rows, "tuned").census
    trained = (census.train_samples - census.samples_dropped_an_epoch) * 64
    work = trained + census.validation_samples * 64 / 3
    assert two.minutes == pytest.approx(2 * work / two.tokens_a_second / 60)


def test_rows_with_passages_are_in_the_prediction_as_long_as_they_will_be(
    project: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ragtune.tuning.prediction.perf_counter", iter([0.0, 10.0] * 2).__next__)
    split = ("tune.validation_split_ratio=0", "study.arms=[tuned+rag]")
    alone, shown = (
        predicted(recipe_file.load(project(), (*split, f"records.with_passages={n}")))
        for n in (0, 1)
    )
    assert shown.minutes > 1.2 * alone.minutes


def test_where_memory_runs_out_in_the_probe_the_micro_batch_is_halved_as_in_training(
    project: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = DirectPasses.gradients

    def cramped(self: Any, samples: Any, tokens: int, seed: int) -> float:
        if sum(len(s.ids) for s in samples) > 64:
            raise torch.OutOfMemoryError("Tried to allocate more than there is")
        return whole(self, samples, tokens, seed)

    monkeypatch.setattr(DirectPasses, "gradients", cramped)
    recipe = recipe_file.load(project(), ("tune.per_device_train_batch_size=4",))
    found = predicted(recipe)
    assert found.micro_batch == 1
    assert found.substitutions == [
        "micro-batches of 2 instead of 4: memory is short",
        "micro-batches of 1 instead of 4: memory is short",
    ]
