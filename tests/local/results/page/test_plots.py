import numpy as np
import pytest

from ragtune.results.page import plots, svg
from ragtune.results.schema import Epoch


@pytest.mark.parametrize("most", [*np.geomspace(0.02, 200_000, 200), 1, 10, 60, 99.99])
def test_an_axis_has_a_few_round_steps_whatever_its_length(most: float) -> None:
    steps = svg.steps(float(most))
    assert 4 <= len(steps) <= 7
    assert steps[0] == 0
    assert most * 0.7 < steps[-1] <= most * (1 + 1e-9)


def test_names_at_the_ends_of_lines_do_not_overlap() -> None:
    assert svg.apart([50.0, 10.0, 12.0], 14) == [50.0, 10.0, 24.0]
    assert svg.apart([10.0, 10.0, 10.0], 14) == [10.0, 24.0, 38.0]


def test_a_run_of_one_epoch_or_without_validation_has_a_plot() -> None:
    drawn = plots.losses([Epoch(epoch=1, train_loss=2.0, learning_rate=0.1)])
    assert "training" in drawn
    assert "validation" not in drawn
