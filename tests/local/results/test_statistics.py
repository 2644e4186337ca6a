from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ragtune.results import draws
from ragtune.results.statistics import (
    compare,
    compare_with,
    estimate,
    gap_intervals,
    holm,
    intervals,
    more_questions,
    sign_flip,
    smallest_difference,
)

STUDIES, QUESTIONS = 1000, 80
TRUTH = 0.1 + 0.5 * 0.4


def token_f1s(generator: np.random.Generator, *shape: int) -> Any:
    """Values as token F1 gives them: four in ten 0, one in ten 1, the others between."""
    kind = generator.random(shape)
    between = generator.beta(2, 3, shape)  # of mean 0.4
    return np.where(kind < 0.4, 0.0, np.where(kind < 0.5, 1.0, between))


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    studies = token_f1s(np.random.default_rng(1), QUESTIONS, STUDIES)
    low, high = intervals(studies, seed=2)
    assert 0.93 <= np.mean((low <= TRUTH) & (high >= TRUTH)) <= 0.97


@pytest.mark.parametrize(("questions", "least"), [(10, 0.91), (20, 0.93)])
def test_few_questions_are_no_excuse_for_narrow_intervals(questions: int, least: float) -> None:
    studies = np.random.default_rng(3).normal(0.5, 0.2, (questions, STUDIES))
    low, high = intervals(studies, seed=4)
    assert np.mean((low <= 0.5) & (high >= 0.5)) >= least


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_intervals_of_shares_cover_the_truth(share: float) -> None:
    studies = (np.random.default_rng(5).random((QUESTIONS, STUDIES)) < share).astype(float)
    low, high = intervals(studies, seed=6)
    assert 0.93 <= np.mean((low <= share) & (high >= share)) <= 0.975


def test_intervals_of_paired_differences_cover_the_truth() -> None:
    generator = np.random.default_rng(7)
    left = token_f1s(generator, QUESTIONS, STUDIES)
    changed = generator.random(left.shape) < 0.5
    gaps = left - np.where(changed, 0.8 * token_f1s(generator, QUESTIONS, STUDIES), left)
    truth = 0.5 * (1 - 0.8) * TRUTH
    low, high = gap_intervals(gaps, seed=8)
    assert 0.93 <= np.mean((low <= truth) & (high >= truth)) <= 0.97


def test_arms_that_are_alike_are_called_different_in_at_most_one_study_of_twenty() -> None:
    generator = np.random.default_rng(103)
    arms = token_f1s(generator, 4, QUESTIONS, STUDIES)
    gaps = [arms[a] - arms[b] for a, b in combinations(range(4), 2)]
    alone = np.array([sign_flip(gap, seed=13) for gap in gaps])
    assert 0.04 <= np.mean(alone <= 0.05) <= 0.05  # a pair on its own, without a correction
    assert np.mean((alone <= 0.05).any(axis=0)) > 0.1  # why one is needed
    corrected, _ = holm(alone)
    assert 0.01 <= np.mean((corrected <= 0.05).any(axis=0)) <= 0.05


def test_holms_correction_on_fixed_figures() -> None:
    corrected, levels = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    assert corrected == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert levels == pytest.approx([0.05 / 3, 0.05, 0.05 / 2, 0.05 / 4])


def test_an_interval_holds_its_mean_and_narrows_with_more_questions() -> None:
    few = estimate([0.0, 0.5, 1.0] * 10, seed=1)
    many = estimate([0.0, 0.5, 1.0] * 200, seed=1)
    assert few.mean == many.mean == 0.5
    assert few.ci95[0] < 0.5 < few.ci95[1]
    assert many.ci95[1] - many.ci95[0] < 0.3 * (few.ci95[1] - few.ci95[0])


def test_that_none_of_a_few_was_right_does_not_mean_that_none_ever_is() -> None:
    none = estimate([0.0] * 20, seed=1)
    assert none.mean == none.ci95[0] == 0
    assert none.ci95[1] == pytest.approx(0.1611, abs=1e-4)  # Wilson's, 0 of 20


def test_the_same_seed_gives_the_same_figures() -> None:
    values = list(np.random.default_rng(0).random(50))
    assert estimate(values, seed=3) == estimate(values, seed=3)
    arms = {"a": values, "b": values[::-1]}
    assert compare(arms, seed=3) == compare(arms, seed=3)


def test_large_studies_are_resampled_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = list(np.random.default_rng(0).random(50))
    whole = estimate(values, seed=3)
    monkeypatch.setattr(draws, "BLOCK", 50 * 700)
    monkeypatch.setattr(draws, "KEPT", 0)
    parts = estimate(values, seed=3)
    assert parts == whole


def test_figures_of_as_many_values_share_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    fresh = np.random.default_rng

    def counted(seed: int) -> np.random.Generator:
        drawn.append(seed)
        return fresh(seed)

    monkeypatch.setattr(np.random, "default_rng", counted)
    monkeypatch.setattr(draws, "_KEPT", type(draws._KEPT)())
    values = fresh(0).random((60, 3))
    for _ in range(4):
        for count in (60, 50, 40, 30):  # all questions, those with an answer, and by category
            estimate(values[:count, 0], seed=3)
        compare({"a": values[:, 0], "b": values[:, 1], "c": values[:, 2]}, seed=3)
    assert len(drawn) == 5


def test_no_more_draws_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draws, "_KEPT", type(draws._KEPT)())
    monkeypatch.setattr(draws, "KEPT", draws.DRAWS * 100)
    for count in (20, 40, 30, 45, 60):
        estimate(np.random.default_rng(0).random(count), seed=3)
    assert [count for _, count, _ in draws._KEPT] == [30, 45]


def test_a_paired_difference_is_sharper_than_two_intervals() -> None:
    left = np.random.default_rng(1).random(60)
    right = left - 0.05 + np.random.default_rng(2).normal(0, 0.01, 60)
    (gap,) = compare({"left": list(left), "right": list(right)}, seed=1)
    assert gap.mean == pytest.approx(0.05, abs=0.005)
    assert gap.ci95[0] > 0
    assert gap.different
    assert gap.more_questions is None
    alone = [estimate(list(side), seed=1).ci95 for side in (left, right)]
    assert alone[0][0] < alone[1][1]


def test_the_questions_asked_for_would_show_the_difference_four_times_in_five() -> None:
    generator = np.random.default_rng(11)
    gaps = generator.normal(0, 0.3, 100)
    gaps += 0.05 - gaps.mean()
    more = more_questions(gaps, 0.05)
    assert more is not None
    wanted = ((1.959964 + 0.841621) * gaps.std(ddof=1) / 0.05) ** 2
    assert 100 + more == pytest.approx(wanted, abs=1)
    repeated = generator.normal(0.05, gaps.std(ddof=1), (100 + more, 500))
    assert 0.75 <= np.mean(sign_flip(repeated, seed=1) <= 0.05) <= 0.85


def test_the_smallest_difference_of_right_and_wrong_is_shown_four_times_in_five() -> None:
    """Of 200 questions 60 are right in one arm alone: with δ more of them on one side."""
    gaps = np.array([1.0] * 30 + [-1.0] * 30 + [0.0] * 140)
    delta = smallest_difference(gaps, 0.05)
    assert delta is not None
    assert delta == pytest.approx(0.1075, abs=0.001)
    draws = np.random.default_rng(12).random((200, STUDIES))
    shown = np.where(draws < (0.3 + delta) / 2, 1.0, np.where(draws < 0.3, -1.0, 0.0))
    assert 0.75 <= np.mean(sign_flip(shown, seed=1) <= 0.05) <= 0.85


def test_the_smallest_difference_of_other_scores_is_by_their_spread() -> None:
    gaps = np.random.default_rng(13).normal(0, 0.3, 100)
    wanted = (1.959964 + 0.841621) * gaps.std(ddof=1) / 10
    assert smallest_difference(gaps, 0.05) == pytest.approx(wanted, abs=1e-5)


def test_few_questions_show_no_difference_or_only_a_large_one() -> None:
    """Five equal signs come by chance in one of 16 cases; six in one of 32."""
    assert smallest_difference(np.array([1.0, 0, 0, 0, 0]), 0.05) is None
    assert smallest_difference(np.zeros(6), 0.05) == 1.0
    assert smallest_difference(np.zeros(1000), 0.05) == pytest.approx(0.006, abs=1e-6)


def test_arms_are_compared_with_a_constant_answer_as_one_family() -> None:
    right = {"a": [1.0] * 20, "b": [1.0, 0.0] * 10}
    found = compare_with([0.0, 1.0] * 10, right, seed=1)
    assert {pair.right for pair in found.values()} == {"constant"}
    assert (found["a"].mean, found["a"].different) == (0.5, True)
    assert (found["b"].mean, found["b"].different) == (0.0, False)
    assert found["a"].p_holm == pytest.approx(2 * found["a"].p, abs=1e-5)


def test_equal_answers_are_not_different_and_no_number_of_questions_would_make_them_so() -> None:
    (pair,) = compare({"a": [0.0, 0.3, 1.0], "b": [0.0, 0.3, 1.0]}, seed=1)
    assert pair.p == pair.p_holm == 1.0
    assert not pair.different
    assert pair.more_questions is None


@pytest.mark.parametrize("better", [0, 1, 30, 80])
def test_a_difference_is_the_same_whichever_arm_comes_first(better: int) -> None:
    left, right = [1.0] * better + [0.0] * (QUESTIONS - better), [0.0] * QUESTIONS
    (ahead,) = compare({"left": left, "right": right}, seed=1)
    (behind,) = compare({"right": right, "left": left}, seed=1)
    low, high = behind.ci95
    assert ahead.mean == -behind.mean
    assert ahead.ci95 == pytest.approx((-high, -low))


def test_equal_answers_to_a_few_questions_leave_room_to_either_side() -> None:
    scores = [0.0, 0.3, 0.5, 1.0] * 5
    (pair,) = compare({"a": scores, "b": scores}, seed=1)
    assert pair.ci95 == pytest.approx((-0.1611, 0.1611), abs=1e-4)  # Wilson's, 0 of 20


def test_a_single_better_answer_of_many_may_be_chance() -> None:
    (pair,) = compare({"a": [1.0] + [0.0] * 79, "b": [0.0] * 80}, seed=1)
    assert not pair.different
    assert pair.ci95[0] <= 0 < pair.ci95[1]


def test_one_arm_alone_has_nothing_to_be_compared_with() -> None:
    assert compare({"a": [0.0, 1.0]}, seed=1) == []


def test_no_values_are_an_error() -> None:
    with pytest.raises(ValueError, match="no values"):
        estimate([], seed=1)


@pytest.mark.parametrize("right", [0, 1, 30, 79, 80])
def test_the_interval_of_a_share_is_scipys_wilson(right: int) -> None:
    low, high = estimate([1.0] * right + [0.0] * (80 - right), seed=1).ci95
    scipys = stats.binomtest(right, 80).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((scipys.low, scipys.high), abs=1e-6)


def test_the_sign_flip_test_is_scipys_permutation_test_of_one_sample() -> None:
    gaps = np.random.default_rng(1).normal(0.06, 0.3, (60, 3))
    scipys = stats.permutation_test(
        (gaps,), np.mean, permutation_type="samples", n_resamples=20_000, rng=5
    )
    assert sign_flip(gaps, seed=1) == pytest.approx(scipys.pvalue, abs=0.02)
