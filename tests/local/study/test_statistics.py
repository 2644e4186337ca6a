import numpy as np
import pytest

from local.study.statistics import difference, estimate


def test_an_interval_holds_its_mean_and_narrows_with_more_questions() -> None:
    few = estimate([0.0, 1.0] * 10, seed=1)
    many = estimate([0.0, 1.0] * 1000, seed=1)
    assert few.mean == many.mean == 0.5
    assert few.ci95[0] < 0.5 < few.ci95[1]
    assert many.ci95[1] - many.ci95[0] < 0.2 * (few.ci95[1] - few.ci95[0])


def test_the_same_seed_gives_the_same_interval() -> None:
    values = list(np.random.default_rng(0).random(50))
    assert estimate(values, seed=3) == estimate(values, seed=3)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    generator = np.random.default_rng(5)
    hits = 0
    for study in range(300):
        low, high = estimate(list(generator.random(80)), seed=study).ci95
        hits += low <= 0.5 <= high
    assert 0.90 <= hits / 300 <= 0.99


def test_a_paired_difference_is_sharper_than_two_intervals() -> None:
    generator = np.random.default_rng(1)
    left = generator.random(60)
    right = left - 0.05
    gap = difference(list(left), list(right), seed=1)
    assert gap.mean == pytest.approx(0.05)
    assert gap.ci95[0] > 0


def test_no_values_are_an_error() -> None:
    with pytest.raises(ValueError, match="no values"):
        estimate([], seed=1)
