from pathlib import Path

import pytest

from ragtune.tuning import tensorboard as curves


def test_tensorboard_reads_the_losses_by_step(tmp_path: Path) -> None:
    steps = [{"step": n, "loss": 3.0 - n / 4, "learning_rate": 0.5} for n in range(1, 5)]
    epochs = [
        {"epoch": 1, "train_loss": 2.6, "eval_loss": 2.75},
        {"epoch": 2, "train_loss": 2.1, "eval_loss": 2.25},
    ]
    assert curves.write(tmp_path, {"steps": steps, "epochs": epochs})

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(tmp_path))
    read.Reload()
    found = [(e.step, e.value) for e in read.Scalars("train/loss")]
    assert found == [(e["step"], e["loss"]) for e in steps]
    assert [(e.step, e.value) for e in read.Scalars("eval/loss")] == [(2, 2.75), (4, 2.25)]


def test_without_tensorboard_there_are_no_curves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert not curves.write(tmp_path, {"steps": [], "epochs": []})
    assert list(tmp_path.iterdir()) == []
