from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local import recipe_file
from local.workbench import Workbench


def test_a_prediction_is_that_of_the_rows_the_epochs_and_the_rate(
    project: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter([0.0, 10.0] * 2)
    monkeypatch.setattr("local.tune.predict.perf_counter", lambda: next(ticks))

    def predicted(*overrides: str) -> Any:
        bench = Workbench(recipe_file.load(project(), overrides), tmp_path)
        return bench.predict()

    two, four = predicted("tune.epoch=2"), predicted("tune.epoch=4")
    assert two.tokens_a_second == pytest.approx(3 * 64 / 10)
    assert two.peak_gib > 0.01
    assert four.minutes == pytest.approx(2 * two.minutes)
    bench = Workbench(recipe_file.load(project()), tmp_path)
    rows = [
        {"instruction": r.instruction, "context": "", "response": r.response}
        for r in bench.split.train
    ]
    census = bench.samples(rows).census
    trained = (census.train_samples - census.samples_dropped_an_epoch) * 64
    work = trained + census.validation_samples * 64 / 3
    assert two.minutes == pytest.approx(2 * work / two.tokens_a_second / 60)
