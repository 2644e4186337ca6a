import json
import math
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import RecordsError
from ragtune.models.load import load_tokenizer
from ragtune.prompts.base import IGNORED
from ragtune.prompts.instruct import InstructFormat, Template
from ragtune.recipe.tune import Tune
from ragtune.tuning.samples import block_length, prepare


def rows(count: int) -> list[dict[str, str]]:
    return [
        {"instruction": f"question {n}", "context": "", "response": "answer " * (1 + n % 5)}
        for n in range(count)
    ]


def tune(**fields: Any) -> Tune:
    return Tune.model_validate({"per_device_train_batch_size": 2, **fields})


@pytest.fixture
def renderer(tiny_tokenizer: Any) -> InstructFormat:
    return InstructFormat(
        Template(prompt="{instruction}{context}", separator=" > "), tiny_tokenizer
    )


def test_blocks_are_the_rows_end_to_end_less_the_residue(renderer: InstructFormat) -> None:
    data = rows(30)
    samples = prepare(data, tune(validation_split_ratio=0.0), renderer, 32)
    joined = [
        i for r in data for i in renderer.row(r["instruction"], r["context"], r["response"]).ids
    ]
    assert [i for s in samples.train for i in s.ids] == joined[: len(joined) // 32 * 32]
    assert all(s.labels == s.ids for s in samples.train)
    assert samples.census.tokens == len(joined)


def test_rows_keep_to_themselves_and_may_supervise_completions_only(
    renderer: InstructFormat,
) -> None:
    spec = tune(local={"layout": "rows", "loss": "completion"}, validation_split_ratio=0.0)
    samples = prepare(rows(5), spec, renderer, 512)
    assert len(samples.train) == 5
    for sample in samples.train:
        start = next(n for n, label in enumerate(sample.labels) if label != IGNORED)
        assert sample.labels[:start] == [IGNORED] * start
        assert sample.labels[start:] == sample.ids[start:]


def test_the_validation_split_is_of_blocks_and_depends_on_its_own_seed(
    renderer: InstructFormat,
) -> None:
    first = prepare(rows(40), tune(), renderer, 32)
    total = len(first.train) + len(first.validation)
    assert len(first.validation) == math.ceil(total * 0.2)
    assert prepare(rows(40), tune(), renderer, 32).validation == first.validation
    other = prepare(rows(40), tune(train_data_split_seed=1), renderer, 32)
    assert other.validation != first.validation


def test_the_split_is_that_of_the_datasets_library(renderer: InstructFormat) -> None:
    from datasets import Dataset

    samples = prepare(rows(40), tune(train_data_split_seed=3), renderer, 32)
    total = len(samples.train) + len(samples.validation)
    numbered = Dataset.from_dict({"n": list(range(total))}).train_test_split(0.2, seed=3)
    everything = prepare(rows(40), tune(validation_split_ratio=0.0), renderer, 32).train
    assert samples.validation == [everything[n] for n in sorted(numbered["test"]["n"])]


def test_a_block_knows_the_rows_that_it_is_made_of(renderer: InstructFormat) -> None:
    data = rows(30)
    blocks = prepare(data, tune(validation_split_ratio=0.0), renderer, 32).train
    lengths = [len(renderer.row(r["instruction"], r["context"], r["response"]).ids) for r in data]
    owner = [n for n, length in enumerate(lengths, 1) for _ in range(length)]
    for number, block in enumerate(blocks):
        assert block.rows == tuple(sorted(set(owner[number * 32 : (number + 1) * 32])))


def test_packed_rows_stay_whole_and_fill_few_bins(renderer: InstructFormat) -> None:
    spec = tune(local={"layout": "packed", "loss": "completion"}, validation_split_ratio=0.0)
    data = rows(30)
    samples = prepare(data, spec, renderer, 64)
    alone = [renderer.row(r["instruction"], r["context"], r["response"]) for r in data]
    assert sorted(n for s in samples.train for n in s.rows) == list(range(1, 31))
    for sample in samples.train:
        assert len(sample.ids) <= 64
        assert sample.ids == [i for n in sample.rows for i in alone[n - 1].ids]
        assert sample.labels == [i for n in sample.rows for i in alone[n - 1].labels]
        assert sample.segments == tuple(len(alone[n - 1].ids) for n in sample.rows)
    tokens = sum(len(row.ids) for row in alone)
    assert len(samples.train) <= math.ceil(tokens / 64 * 1.15)


def test_dolly_packs_into_as_many_blocks_as_in_the_published_job(
    shared: Path, tmp_path: Path
) -> None:
    shutil.copy(shared / "models" / "llama2-tokenizer.model", tmp_path / "tokenizer.model")
    named = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    settings = {"tokenizer_class": "LlamaTokenizer", "model_max_length": 4096, **named}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    tokenizer = load_tokenizer(tmp_path)
    assert len(tokenizer) == 32000
    lines = (shared / "dolly" / "databricks-dolly-15k.jsonl").read_text().splitlines()
    summaries = [r for r in map(json.loads, lines) if r["category"] == "summarization"]
    assert len(summaries) == 1188
    drawn = random.Random(0).sample(summaries, 1069)
    published = Tune()
    length = block_length(published, tokenizer, 4096)
    census = prepare(drawn, published, InstructFormat(Template(), tokenizer), length).census
    blocks = census.train_samples + census.validation_samples
    assert length == 1024
    assert blocks == pytest.approx(553, rel=0.02)
    assert census.train_samples == pytest.approx(442, rel=0.02)
    assert census.validation_samples == pytest.approx(111, rel=0.02)
    assert census.steps_an_epoch == 27
    assert census.supervised == census.train_samples * 1023


def test_the_census_counts_what_is_cut_and_what_is_dropped(renderer: InstructFormat) -> None:
    spec = tune(local={"layout": "rows", "loss": "completion"}, validation_split_ratio=0.0)
    samples = prepare(rows(11), spec, renderer, 16)
    census = samples.census
    assert census.rows == census.train_samples == 11
    assert (samples.micro_batch, samples.accumulation, samples.batch) == (2, 4, 8)
    assert (census.steps_an_epoch, census.samples_dropped_an_epoch) == (1, 3)
    assert census.rows_cut > 0
    assert census.longest == 16


@pytest.mark.parametrize("layout", ["rows", "packed"])
def test_rows_cut_before_their_completion_are_counted_and_left_out(
    renderer: InstructFormat, layout: str
) -> None:
    spec = tune(local={"layout": layout, "loss": "completion"}, validation_split_ratio=0.0)
    long = {"instruction": "a very long question " * 20, "context": "", "response": "answer"}
    samples = prepare([*rows(4), long], spec, renderer, 64)
    assert samples.census.rows_without_supervision == 1
    assert samples.census.warnings == [
        "1 of 5 rows are cut before their completion and teach nothing; raise tune.max_input_length"
    ]
    assert sorted(n for s in samples.train for n in s.rows) == [1, 2, 3, 4]


def test_a_completion_that_merges_with_the_prompt_is_warned_of(tiny_tokenizer: Any) -> None:
    merging = InstructFormat(Template(prompt="{instruction}", separator="docu"), tiny_tokenizer)
    row = {"instruction": "Take", "context": "", "response": "ment"}
    spec = tune(validation_split_ratio=0.0, local={"layout": "rows"})
    (warning,) = prepare([row], spec, merging, 64).census.warnings
    assert warning.startswith("in 1 of 1 rows the tokenizer merges the prompt's end")


def test_few_samples_make_a_smaller_batch(renderer: InstructFormat) -> None:
    spec = tune(local={"layout": "rows"}, validation_split_ratio=0.0)
    samples = prepare(rows(1), spec, renderer, 512)
    assert (samples.micro_batch, samples.accumulation) == (1, 1)
    assert samples.census.steps_an_epoch == 1


def test_nothing_to_train_on_is_an_error(renderer: InstructFormat) -> None:
    with pytest.raises(RecordsError, match="leave nothing to train on"):
        prepare(rows(1), tune(), renderer, 1024)


def test_rows_cut_before_their_completion_are_an_error_not_a_silent_zero(
    renderer: InstructFormat,
) -> None:
    spec = tune(local={"layout": "rows", "loss": "completion"}, validation_split_ratio=0.0)
    with pytest.raises(RecordsError, match=r"is cut before its response.*allows 3; raise it"):
        prepare(rows(5), spec, renderer, 3)


def test_block_length_follows_jumpstart_and_the_model(tiny_tokenizer: Any) -> None:
    assert block_length(tune(), tiny_tokenizer, 512) == 512
    assert block_length(tune(), tiny_tokenizer, 8192) == 1024
    assert block_length(tune(max_input_length=100), tiny_tokenizer, 8192) == 100
