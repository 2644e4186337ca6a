"""What seeds add to intervals, held against studies whose truth is known."""

from typing import Any

import numpy as np
import pytest

from ragtune.results import seeds
from ragtune.results.statistics import compare, estimate, intervals

STUDIES, QUESTIONS, TRUTH = 1000, 100, 0.5


def scores(kind: str, count: int, apart: float) -> Any:
    """(seeds, questions, studies): some questions are hard for every seed, some seeds are worse."""
    generator = np.random.default_rng(1)
    by_seed = generator.normal(0, apart, (count, 1, STUDIES))
    if kind == "right or wrong":
        chance = generator.beta(1.5, 1.5, (1, QUESTIONS, STUDIES)) + by_seed
        return (generator.random((count, QUESTIONS, STUDIES)) < chance).astype(float)
    hard = generator.normal(TRUTH, 0.2, (1, QUESTIONS, STUDIES))
    return hard + by_seed + generator.normal(0, 0.1, (count, QUESTIONS, STUDIES))


@pytest.mark.parametrize("kind", ["right or wrong", "between"])
@pytest.mark.parametrize("apart", [0.0, 0.05, 0.1])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_intervals_cover_the_truth_over_seeds_and_questions(
    kind: str, apart: float, count: int
) -> None:
    values = scores(kind, count, apart)
    mean = values.mean(axis=(0, 1))
    low, high = intervals(values.mean(axis=0), seed=2)
    spread = values.mean(axis=1).var(axis=0, ddof=1) / count
    left = mean - seeds.reach(mean - low, spread, count)
    right = mean + seeds.reach(high - mean, spread, count)
    assert np.mean((left <= TRUTH) & (right >= TRUTH)) >= 0.93
    if count > 2:
        needed = 1.96 * mean.std()  # were the spreads known
        assert np.median(right - left) / 2 <= (1.9 if count == 3 else 1.45) * needed
    if apart == 0.1:  # what questions alone would say
        assert np.mean((low <= TRUTH) & (high >= TRUTH)) < 0.85


def test_an_arm_without_seeds_keeps_its_interval() -> None:
    values = list(np.random.default_rng(3).random(60))
    assert estimate([values], seed=1) == estimate(values, seed=1)
    alike = estimate([values] * 3, seed=1)
    assert alike.ci95 == pytest.approx(estimate(values, seed=1).ci95)


def test_means_are_over_seeds_and_questions() -> None:
    found = estimate([[1.0, 0.0], [1.0, 1.0]], seed=1)
    assert found.mean == 0.75
    assert found.ci95[0] >= 0
    assert found.ci95[1] <= 1


def test_arms_whose_seeds_are_alike_by_chance_are_rarely_called_different() -> None:
    """Seeds that differ by 0.1 on the same questions: questions alone claim too much."""
    values = scores("between", 3, 0.1)[:, :, :300]
    generator = np.random.default_rng(5)
    other = values[0] - values[0].mean() + TRUTH
    other = other + generator.normal(0, 0.05, other.shape) - values[0].mean(axis=0) + TRUTH
    claims, widened = 0, 0
    for n in range(60):
        (pair,) = compare({"tuned": values[:, :, n], "base": other[:, n]}, seed=7)
        (alone,) = compare({"tuned": values[:, :, n].mean(axis=0), "base": other[:, n]}, seed=7)
        claims += pair.different
        widened += alone.different
    assert claims <= 6
    assert widened > 20


def test_a_difference_that_every_seed_shows_is_found() -> None:
    generator = np.random.default_rng(6)
    base = generator.random(100)
    tuned = base + 0.3 + generator.normal(0, 0.05, (3, 100)) + np.array([[-0.02], [0.0], [0.02]])
    (pair,) = compare({"tuned": tuned, "base": base}, seed=1)
    assert pair.different
    assert 0.2 < pair.ci95[0] < 0.3 < pair.ci95[1] < 0.4


def test_runs_of_unlike_numbers_of_seeds_are_compared_over_those_that_both_have() -> None:
    generator = np.random.default_rng(9)
    three, two = generator.random((3, 50)), generator.random((2, 50))
    (found,) = compare({"a": three, "b": two}, seed=1)
    assert found == compare({"a": three[:2], "b": two}, seed=1)[0]


def test_no_number_of_questions_makes_up_for_seeds_that_differ() -> None:
    apart = [[0.9] * 100, [0.1] * 100, [0.6] * 100]
    (pair,) = compare({"tuned": apart, "base": [0.5] * 100}, seed=1)
    assert not pair.different
    assert pair.more_questions is None
    assert pair.smallest is not None
    assert pair.smallest > 0.3


def test_more_questions_are_asked_for_only_where_they_would_tell() -> None:
    generator = np.random.default_rng(8)
    hard, apart = generator.normal(0.03, 0.3, (1, 80)), np.array([[-0.004], [0.0], [0.004]])
    (pair,) = compare({"tuned": hard + apart, "base": [0.0] * 80}, seed=1)
    assert not pair.different
    assert pair.more_questions is not None
    assert pair.more_questions > 80
    tails = (0.025, 0.2)
    left = seeds.room(0.2, 0.001, 3, tails)
    assert seeds.shown(0.001, left, 3, tails) == pytest.approx(0.2)
    assert seeds.room(0.2, 0.01, 3, tails) == 0.0  # hidden by seeds alone


def test_the_p_value_is_the_tail_at_which_the_interval_ends() -> None:
    side = np.array([0.1])
    by_seeds, questions = 0.002, (0.1 / 1.959964) ** 2
    reach = float(seeds.reach(side, np.array([by_seeds]), 3)[0])
    assert seeds.p_value(reach, by_seeds, questions, 3) == pytest.approx(0.05, abs=1e-4)
    assert seeds.p_value(0.0, by_seeds, questions, 3) == pytest.approx(1.0)
    assert seeds.p_value(0.0, 0.0, 0.0, 3) == 1.0
