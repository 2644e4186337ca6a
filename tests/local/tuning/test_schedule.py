import pytest

from ragtune.recipe.tune import Tune
from ragtune.results.faults import RESIDUE, STEPS
from ragtune.tuning import schedule
from ragtune.tuning.schedule import choose, learning_rate


def chosen(count: int, length: int = 40, **options: object) -> Tune:
    how = {"hidden": 576, "context": 2048, "promoted": False, **options}
    values = choose([length] * count, **how).values  # type: ignore[arg-type]
    local = {n[11:]: v for n, v in values.items() if n.startswith("tune.local.")}
    plain = {n[5:]: v for n, v in values.items() if not n.startswith("tune.local.")}
    return Tune.model_validate({**plain, "local": local})


def steps(count: int, tune: Tune) -> int:
    kept = count - round(count * tune.validation_split_ratio)
    batch = tune.per_device_train_batch_size * tune.gradient_accumulation_steps
    return kept // batch * tune.epoch


@pytest.mark.parametrize("rows", [5, 9, 12, 23, 40, 60, 67, 99, 200, 399, 400, 1000, 6000, 15_000])
def test_any_number_of_rows_gets_enough_steps_and_not_for_ever(rows: int) -> None:
    tune = chosen(rows)
    assert steps(rows, tune) >= (schedule.GOAL if rows >= 10 else STEPS)
    read = rows * tune.epoch
    assert read <= max(2 * schedule.ENOUGH, rows)
    batch = tune.per_device_train_batch_size
    if not tune.validation_split_ratio:
        assert rows % batch / rows <= RESIDUE


def test_what_is_not_promoted_learns_answers_row_by_row() -> None:
    tune = chosen(60)
    assert (tune.local.layout, tune.local.loss) == ("rows", "completion")
    assert tune.max_input_length == -1


def test_long_rows_are_read_whole_as_far_as_the_model_reads() -> None:
    assert chosen(60, passages=1200).max_input_length >= 1240
    assert chosen(60, passages=9000).max_input_length == 2048


def test_the_last_epoch_of_few_rows_is_kept() -> None:
    assert chosen(60).validation_split_ratio == 0
    assert chosen(schedule.VALIDATED).validation_split_ratio > 0


def test_a_recipe_to_be_promoted_keeps_the_form_of_the_container() -> None:
    values = choose([75] * 400, hidden=576, context=2048, promoted=True).values
    assert not any(name.startswith("tune.local.") for name in values)
    assert "tune.gradient_accumulation_steps" not in values  # it counts devices
    assert values["tune.max_input_length"] == 128
    assert values["tune.validation_split_ratio"] > 0
    shown = choose([75] * 400, hidden=576, context=2048, promoted=True).reason
    assert "container" in shown


def test_what_the_recipe_gives_itself_decides_the_rest() -> None:
    own = {"tune.per_device_train_batch_size": 30, "tune.gradient_accumulation_steps": 2}
    found = choose([40] * 60, hidden=576, context=2048, promoted=False, given=own)
    assert found.values["tune.epoch"] == schedule.EPOCHS
    assert "12 epochs of 1 steps of 60" in found.reason
    once = choose([40] * 60, hidden=576, context=2048, promoted=False, given={"tune.epoch": 1})
    assert "15 in all" in once.reason


def test_a_wider_model_learns_at_a_lower_rate() -> None:
    assert learning_rate(576) == pytest.approx(1.3e-3)
    assert learning_rate(2048) == pytest.approx(4.9e-4)
    assert learning_rate(64) == learning_rate(384)


def test_a_length_that_may_cut_rows_is_one_of_blocks() -> None:
    def layout(length: int) -> object:
        given = {"tune.max_input_length": length}
        found = choose([40] * 60, hidden=576, context=2048, promoted=False, given=given)
        return found.values["tune.local.layout"]

    assert (layout(64), layout(512), layout(-1)) == ("blocks", "rows", "rows")
