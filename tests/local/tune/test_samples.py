from typing import Any

import pytest

from local.errors import RecordsError
from local.recipe import Tune
from local.template import IGNORED, Renderer, Template
from local.tune.samples import block_length, prepare


def rows(count: int) -> list[dict[str, str]]:
    return [
        {"instruction": f"question {n}", "context": "", "response": "answer " * (1 + n % 5)}
        for n in range(count)
    ]


def tune(**fields: Any) -> Tune:
    return Tune.model_validate({"per_device_train_batch_size": 2, **fields})


@pytest.fixture
def renderer(tiny_tokenizer: Any) -> Renderer:
    return Renderer(Template(prompt="{instruction}{context}", separator=" > "), tiny_tokenizer)


def test_blocks_are_the_rows_end_to_end_less_the_residue(renderer: Renderer) -> None:
    data = rows(30)
    samples = prepare(data, tune(validation_split_ratio=0.0), renderer, 32)
    joined = [
        i for r in data for i in renderer.row(r["instruction"], r["context"], r["response"]).ids
    ]
    assert [i for s in samples.train for i in s.ids] == joined[: len(joined) // 32 * 32]
    assert all(s.labels == s.ids for s in samples.train)
    assert samples.census.tokens == len(joined)


def test_rows_keep_to_themselves_and_may_supervise_completions_only(renderer: Renderer) -> None:
    spec = tune(local={"layout": "rows", "loss": "completion"}, validation_split_ratio=0.0)
    samples = prepare(rows(5), spec, renderer, 512)
    assert len(samples.train) == 5
    for sample in samples.train:
        start = next(n for n, label in enumerate(sample.labels) if label != IGNORED)
        assert sample.labels[:start] == [IGNORED] * start
        assert sample.labels[start:] == sample.ids[start:]


def test_the_validation_split_is_of_blocks_and_depends_on_its_own_seed(renderer: Renderer) -> None:
    first = prepare(rows(40), tune(), renderer, 32)
    total = len(first.train) + len(first.validation)
    assert len(first.validation) == int(total * 0.2)
    assert prepare(rows(40), tune(), renderer, 32).validation == first.validation
    other = prepare(rows(40), tune(train_data_split_seed=1), renderer, 32)
    assert other.validation != first.validation


def test_the_census_counts_what_is_cut_and_what_is_dropped(renderer: Renderer) -> None:
    spec = tune(local={"layout": "rows", "loss": "completion"}, validation_split_ratio=0.0)
    samples = prepare(rows(11), spec, renderer, 16)
    census = samples.census
    assert census.rows == census.train_samples == 11
    assert (samples.micro_batch, samples.accumulation, samples.batch) == (2, 4, 8)
    assert (census.steps_an_epoch, census.samples_dropped_an_epoch) == (1, 3)
    assert census.rows_cut > 0
    assert census.longest == 16


def test_few_samples_make_a_smaller_batch(renderer: Renderer) -> None:
    spec = tune(local={"layout": "rows"}, validation_split_ratio=0.0)
    samples = prepare(rows(1), spec, renderer, 512)
    assert (samples.micro_batch, samples.accumulation) == (1, 1)
    assert samples.census.steps_an_epoch == 1


def test_nothing_to_train_on_is_an_error(renderer: Renderer) -> None:
    with pytest.raises(RecordsError, match="leave nothing to train on"):
        prepare(rows(1), tune(), renderer, 1024)


def test_rows_cut_before_their_completion_are_an_error_not_a_silent_zero(
    renderer: Renderer,
) -> None:
    spec = tune(local={"layout": "rows", "loss": "completion"}, validation_split_ratio=0.0)
    with pytest.raises(RecordsError, match="leave nothing to train on"):
        prepare(rows(5), spec, renderer, 3)


def test_block_length_follows_jumpstart_and_the_model(tiny_tokenizer: Any) -> None:
    assert block_length(tune(), tiny_tokenizer, 512) == 512
    assert block_length(tune(), tiny_tokenizer, 8192) == 1024
    assert block_length(tune(max_input_length=100), tiny_tokenizer, 8192) == 100
