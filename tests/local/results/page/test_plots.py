import re

import numpy as np
import pytest

from ragtune.results.page import plots, svg
from ragtune.results.schema import Training
from tests.local.results.made_up import TRAINING


@pytest.mark.parametrize("most", [*np.geomspace(0.02, 200_000, 200), 1, 10, 60, 99.99])
def test_an_axis_has_a_few_round_steps_whatever_its_length(most: float) -> None:
    steps = svg.steps(float(most))
    assert 4 <= len(steps) <= 7
    assert steps[0] == 0
    assert most * 0.7 < steps[-1] <= most * (1 + 1e-9)


def test_names_at_the_ends_of_lines_do_not_overlap() -> None:
    assert svg.apart([50.0, 10.0, 12.0], 14) == [50.0, 10.0, 24.0]
    assert svg.apart([10.0, 10.0, 10.0], 14) == [10.0, 24.0, 38.0]


def trained(steps: int, *, validated: bool = True) -> Training:
    return Training.model_validate(
        {
            **TRAINING,
            "epochs": [
                {"epoch": 1, "train_loss": 2.0, "eval_loss": 1.5 if validated else None,
                 "learning_rate": 0.1}
            ],
            "steps": [{"step": n + 1, "loss": 1 + 1 / (n + 1), "learning_rate": 0.1}
                      for n in range(steps)],
        }
    )  # fmt: skip


def points(drawn: str) -> int:
    curve = re.search(r'<polyline class="tuned thin"[^>]* points="([^"]*)"', drawn)
    assert curve is not None
    return len(curve[1].split())


def test_the_loss_of_every_step_is_drawn() -> None:
    assert points(plots.losses(trained(98))) == 98
    assert points(plots.losses(trained(2 * plots.MOST_STEPS + 1))) <= plots.MOST_STEPS


def test_a_run_of_one_epoch_or_without_validation_has_a_plot() -> None:
    drawn = plots.losses(trained(1, validated=False))
    assert "training" in drawn
    assert "validation" not in drawn
    assert "validation 1.500 at step 1" in plots.losses(trained(1))
