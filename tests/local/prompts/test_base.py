from pathlib import Path
from typing import Any

import pytest

from ragtune.arms.arm import Arm
from ragtune.models.engines.torch import TorchEngine
from ragtune.models.families.llama import Llama
from ragtune.models.hardware import probe
from ragtune.models.load import load_base
from ragtune.prompts.base import IGNORED, PromptFormat, Row, common_prefix
from ragtune.prompts.instruct import Template
from ragtune.recipe.tune import Tune
from ragtune.results.heldout import completion_loss
from ragtune.sources.records import Record
from ragtune.tuning.samples import prepare
from tests.local.prompts.toy import Dialogue


@pytest.fixture
def form(tiny_tokenizer: Any) -> PromptFormat:
    return Dialogue(Template(), tiny_tokenizer)


def test_a_format_that_is_one_file_makes_training_samples(
    form: PromptFormat, tiny_tokenizer: Any
) -> None:
    row = {"instruction": "When?", "context": form.context("", ["At six."]), "response": "six"}
    spec = Tune.model_validate(
        {"validation_split_ratio": 0.0, "local": {"layout": "rows", "loss": "completion"}}
    )
    (sample,) = prepare([row], spec, form, 512).train
    taught = [label for label in sample.labels if label != IGNORED]
    assert tiny_tokenizer.decode(taught) == " six\n"
    asked = form.prompt("When?", "", ["At six."])
    assert sample.ids[: len(asked.ids)] == asked.ids


def test_a_format_that_is_one_file_asks_a_model_and_ends_its_answer(
    form: PromptFormat, tiny_llama: Path, tiny_tokenizer: Any
) -> None:
    engine = TorchEngine(load_base(tiny_llama, probe("float32")), tiny_tokenizer, Llama(), "")
    record = Record("When?", "six", context="At six.")
    free = engine.complete([form.prompt("When?", "At six.")], limit=6)[0]
    answer = Arm(engine, form, 6).ask(record)
    assert answer.completion_tokens == free.tokens == 6
    form.__dict__["stops"] = (free.ids[0],)
    assert Arm(engine, form, 6).ask(record).completion_tokens == 0
    learnt = form.row("When?", "At six.", "six").supervised
    assert completion_loss(engine, form, [record], show_context=True).tokens == learnt


def test_a_common_prefix_is_counted_to_the_first_difference_or_the_shorter_end() -> None:
    assert common_prefix([1, 2, 3], [1, 2, 4]) == 2
    assert common_prefix([1, 2], [1, 2, 3]) == 2
    assert common_prefix([], [1]) == 0


def test_supervised_tokens_of_a_row_are_those_with_a_label() -> None:
    assert Row([1, 2, 3], [IGNORED, 2, 3]).supervised == 2
