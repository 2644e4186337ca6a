from collections.abc import Callable, Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from ragtune.recipe.tune import PROJECTIONS, Tune
from ragtune.tuning import search
from ragtune.tuning.search import Budget, Measured, OutOfTime, Rung, Settings, Trial

QUARTER, HALF, ALL = search.rungs(400)


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Fake:
    """Trials that take a second a hundred rows and epoch, in steps of a tenth, and one to ask.

    ``score`` says what settings come to; ``steps`` counts them.
    """

    def __init__(self, seconds: float, score: Callable[[Settings, Rung], float]) -> None:
        self.clock, self.score = Clock(), score
        self.budget = Budget(seconds, clock=self.clock)
        self.made: list[tuple[Settings, Rung]] = []

    def __call__(self, settings: Settings, rung: Rung) -> Measured:
        training = rung.rows * settings["epoch"] / 100
        for _ in range(round(10 * (training + 1))):
            self.clock.now += 0.1
            self.budget.check()
        self.made.append((settings, rung))
        return Measured(self.score(settings, rung), 1 / settings["learning_rate"], training)


def settings(rate: float, epoch: int = 1) -> Settings:
    return {"learning_rate": rate, "epoch": epoch, "lora_r": 8, "target_modules": "q_proj"}


def by_rate(one: Settings, rung: Rung) -> float:
    return float(one["learning_rate"])


def tried(outcome: search.Outcome) -> list[tuple[int, int]]:
    return [(trial.candidate, trial.rung) for trial in outcome.trials]


EIGHT = [settings(rate / 10) for rate in range(1, 9)]


def test_the_recipes_own_settings_are_the_first_candidate_and_others_lie_around_them() -> None:
    tune = Tune(epoch=4, learning_rate=2e-4, lora_r=16)
    found = search.candidates(tune, PROJECTIONS, seed=3, promoted=False)
    assert found[0] == {
        "learning_rate": 2e-4,
        "epoch": 4,
        "lora_r": 16,
        "target_modules": "q_proj,v_proj",
    }
    assert len(found) == search.MOST
    assert {one["learning_rate"] for one in found} == {2e-5, 6e-5, 2e-4, 6e-4, 2e-3}
    assert {one["epoch"] for one in found} == {2, 4, 8}
    assert {one["lora_r"] for one in found} == {8, 16, 32, 64}
    assert len({one["target_modules"] for one in found}) == 3
    assert len({tuple(one.values()) for one in found}) == len(found)


def test_candidates_are_the_same_for_a_seed_and_others_for_another() -> None:
    drawn = [search.candidates(Tune(), PROJECTIONS, seed=s, promoted=False) for s in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_first_few_candidates_differ_in_every_field() -> None:
    """A small budget tries no more than these."""
    first = search.candidates(Tune(), PROJECTIONS, seed=1, promoted=False)[1:6]
    assert len({one["learning_rate"] for one in first}) >= 4
    assert len({one["lora_r"] for one in first}) >= 3


@pytest.mark.parametrize("tune", [Tune(learning_rate=1.0, epoch=1000), Tune(learning_rate=1e-8)])
def test_no_candidate_is_out_of_the_containers_bounds(tune: Tune) -> None:
    for one in search.candidates(tune, PROJECTIONS, seed=1, promoted=True):
        assert 1e-8 <= one["learning_rate"] <= 1
        assert 1 <= one["epoch"] <= 1000
        search.applied(tune, one)


def test_a_promoted_recipe_keeps_its_target_modules() -> None:
    found = search.candidates(
        Tune(target_modules="q_proj,k_proj"), PROJECTIONS, seed=1, promoted=True
    )
    assert {one["target_modules"] for one in found} == {"q_proj,k_proj"}


def test_only_projections_of_the_family_are_tried() -> None:
    found = search.candidates(Tune(), ["q_proj", "v_proj"], seed=1, promoted=False)
    assert {one["target_modules"] for one in found} == {"q_proj,v_proj"}


def test_applied_settings_are_checked_again() -> None:
    assert search.applied(Tune(lora_dropout=0), {"epoch": 7}) == Tune(epoch=7, lora_dropout=0)
    with pytest.raises(ValidationError):
        search.applied(Tune(), {"learning_rate": 3.0})


@pytest.mark.parametrize(
    ("rows", "shares"),
    [(400, [0.25, 0.5, 1]), (100, [0.5, 1]), (63, [0.5, 1]), (40, [1]), (3, [1])],
)
def test_few_rows_have_fewer_rungs(rows: int, shares: list[float]) -> None:
    found = search.rungs(rows)
    assert [rung.share for rung in found] == shares
    assert found[-1].rows == rows


def test_the_better_half_goes_on_to_more_rows_and_the_best_of_all_rows_wins() -> None:
    fake = Fake(1000, by_rate)
    found = search.halve(EIGHT, [QUARTER, HALF, ALL], fake.budget, fake)
    assert found.winner == EIGHT[7]
    assert found.decided == 2
    assert tried(found) == [
        *((n, 0) for n in range(8)),
        *((n, 1) for n in (7, 6, 5, 4)),
        *((n, 2) for n in (7, 6)),
    ]


def test_what_is_best_on_all_rows_wins_over_what_was_best_on_a_share() -> None:
    fake = Fake(1000, lambda one, rung: one["learning_rate"] * (-1 if rung == ALL else 1) + 1)
    found = search.halve(EIGHT, [QUARTER, HALF, ALL], fake.budget, fake)
    assert found.winner == EIGHT[6]


def test_equal_scores_are_decided_by_the_loss_then_by_the_cheaper_settings() -> None:
    fake = Fake(1000, lambda one, rung: 0.5)
    found = search.halve(EIGHT[:4], [ALL], fake.budget, fake)
    assert found.winner == EIGHT[3]  # its loss is the least

    same = [settings(0.1, 4), settings(0.1, 2), settings(0.1, 3)]
    fake = Fake(1000, lambda one, rung: 0.5)
    assert search.halve(same, [ALL], fake.budget, fake).winner == same[1]


def test_a_loss_that_is_not_finite_is_the_worst() -> None:
    def attempt(one: Settings, rung: Rung) -> Measured:
        return Measured(0.0, None if one["learning_rate"] == 0.1 else 9.0, 1.0)

    assert search.halve(EIGHT[:2], [ALL], Budget(10), attempt).winner == EIGHT[1]


@pytest.mark.parametrize("seconds", [1, 3, 7.5, 12, 20, 33, 60])
def test_the_budget_is_exceeded_by_one_step_of_a_trial_at_most(seconds: float) -> None:
    fake = Fake(seconds, by_rate)
    search.halve(EIGHT, [QUARTER, HALF, ALL], fake.budget, fake)
    assert fake.budget.spent <= seconds + 0.1 + 1e-6


def test_a_trial_that_does_not_fit_is_not_begun_but_a_cheaper_one_is() -> None:
    fake = Fake(13, by_rate)
    some = [settings(0.1), settings(0.2), settings(0.5, 9), settings(0.3)]
    found = search.halve(some, [Rung(1, 100)], fake.budget, fake)
    assert tried(found) == [(0, 0), (1, 0), (3, 0)]
    assert all(trial.finished for trial in found.trials)
    assert found.winner == some[3]


def test_trials_leave_time_for_the_rungs_above() -> None:
    fake = Fake(30, by_rate)
    found = search.halve(EIGHT, [QUARTER, HALF, ALL], fake.budget, fake)
    assert found.decided == 2
    assert sum(t.seconds for t in found.trials if t.rung == 0) <= 10 + 1e-6


def test_a_rung_whose_best_does_not_fit_is_left_and_the_one_before_decides() -> None:
    fake = Fake(8.5, by_rate)
    found = search.halve(EIGHT[:2], [QUARTER, ALL], fake.budget, fake)
    assert found.decided == 0
    assert found.winner == EIGHT[1]


def test_a_trial_stopped_at_the_end_counts_as_unfinished_and_decides_nothing() -> None:
    """Each takes longer than those before: what was predicted is too short."""
    fake = Fake(9, by_rate)
    slow = fake.__call__

    def attempt(one: Settings, rung: Rung) -> Measured:
        if one == EIGHT[2]:
            for _ in range(100):
                fake.clock.now += 0.1
                fake.budget.check()
        return slow(one, rung)

    found = search.halve(EIGHT[:3], [QUARTER], fake.budget, attempt)
    last = found.trials[-1]
    assert (last.candidate, last.score, last.finished) == (2, None, False)
    assert found.winner == EIGHT[1]
    assert found.decided == 0


def test_the_recipes_own_settings_win_where_no_trial_can_be_finished() -> None:
    fake = Fake(0.5, by_rate)
    found = search.halve(EIGHT, [QUARTER, HALF, ALL], fake.budget, fake)
    assert found.winner == EIGHT[0]
    assert found.decided is None
    assert [trial.finished for trial in found.trials] == [False]


def interrupted(seconds: float, after: int) -> tuple[list[Trial], float]:
    """The trials that were kept until Ctrl-C in the middle of one, and the seconds spent."""
    fake, kept = Fake(seconds, by_rate), list[Trial]()

    def attempt(one: Settings, rung: Rung) -> Measured:
        if len(fake.made) == after:
            fake.clock.now += 0.7
            raise KeyboardInterrupt
        return fake(one, rung)

    with pytest.raises(KeyboardInterrupt):
        search.halve(EIGHT, [QUARTER, HALF, ALL], fake.budget, attempt, keep=kept.append)
    return kept, fake.budget.spent


@pytest.mark.parametrize("after", [0, 3, 8, 10, 13])
def test_an_interrupted_search_goes_on_with_what_is_left_of_its_budget(after: int) -> None:
    kept, spent = interrupted(1000, after)
    assert spent == pytest.approx(sum(trial.seconds for trial in kept))
    fake = Fake(1000, by_rate)
    fake.budget = Budget(1000, spent, clock=fake.clock)
    found = search.halve(EIGHT, [QUARTER, HALF, ALL], fake.budget, fake, kept=kept)
    whole = Fake(1000, by_rate)
    as_if = search.halve(EIGHT, [QUARTER, HALF, ALL], whole.budget, whole)
    assert len(fake.made) == len(whole.made) - after
    assert (found.winner, found.decided) == (as_if.winner, as_if.decided)
    assert fake.budget.spent == pytest.approx(whole.budget.spent + 0.7)
    assert sum(not trial.finished for trial in found.trials) == 1


def test_a_search_with_its_budget_spent_begins_nothing_more() -> None:
    kept, _ = interrupted(1000, 3)
    fake = Fake(5, by_rate)
    fake.budget = Budget(5, 6, clock=fake.clock)
    found = search.halve(EIGHT, [QUARTER, HALF, ALL], fake.budget, fake, kept=kept)
    assert not fake.made
    assert found.winner == EIGHT[2]


def test_time_passes_only_while_a_trial_is_running() -> None:
    clock = Clock()
    budget = Budget(5, clock=clock)
    clock.now += 100
    with budget.running():
        clock.now += 4
        budget.check()
    clock.now += 100
    assert budget.spent == 4
    with budget.running(), pytest.raises(OutOfTime):
        clock.now += 1
        budget.check()


def test_equal_budgets_are_spent_alike_by_equal_trials() -> None:
    spent: list[Any] = []
    for _ in range(2):
        fake = Fake(25, by_rate)
        search.halve(EIGHT, [QUARTER, HALF, ALL], fake.budget, fake)
        spent.append(fake.budget.spent)
    assert spent[0] == spent[1]


def names(found: Sequence[Settings]) -> set[str]:
    return {name for one in found for name in one}


def test_candidates_set_what_is_searched_and_nothing_else() -> None:
    found = search.candidates(Tune(), PROJECTIONS, seed=1, promoted=False)
    assert names(found) == {*search.SETTINGS}
