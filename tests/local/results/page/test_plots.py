import numpy as np
import pytest

from ragtune.results.page import plots


@pytest.mark.parametrize("most", [*np.geomspace(0.02, 200_000, 200), 1, 10, 60, 99.99])
def test_an_axis_has_a_few_round_steps_whatever_its_length(most: float) -> None:
    steps = plots._steps(float(most))
    assert 4 <= len(steps) <= 7
    assert steps[0] == 0
    assert most * 0.7 < steps[-1] <= most * (1 + 1e-9)


def test_names_at_the_ends_of_lines_do_not_overlap() -> None:
    assert plots._apart([50.0, 10.0, 12.0], 14) == [50.0, 10.0, 24.0]
    assert plots._apart([10.0, 10.0, 10.0], 14) == [10.0, 24.0, 38.0]


def test_a_run_of_one_epoch_or_without_validation_has_a_plot() -> None:
    assert "training" in plots.losses([{"epoch": 1, "train_loss": 2.0}])
    assert "validation" not in plots.losses([{"epoch": 1, "train_loss": 2.0}])
    assert plots.losses([{"epoch": 1, "learning_rate": 0.1}]) == ""
