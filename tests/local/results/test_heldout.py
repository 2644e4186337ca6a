from pathlib import Path
from typing import Any

import pytest
import torch

from ragtune.models.engines.torch import TorchEngine
from ragtune.models.families.llama import Llama
from ragtune.models.hardware import probe
from ragtune.models.load import load_base
from ragtune.prompts.base import IGNORED
from ragtune.prompts.instruct import InstructFormat, Template
from ragtune.results.heldout import completion_loss, row
from ragtune.sources.records import Record


def test_the_loss_is_the_models_own_over_the_completions_tokens(
    tiny_llama: Path, tiny_tokenizer: Any
) -> None:
    model: Any = load_base(tiny_llama, probe("float32"))
    engine = TorchEngine(model, tiny_tokenizer, Llama(), "")
    form = InstructFormat(Template(), tiny_tokenizer)
    records = [Record(f"question {n}", "answer " * n) for n in range(1, 20)]
    measured = completion_loss(engine, form, records, show_context=True)
    total, tokens = 0.0, 0
    for record in records:
        one = form.row(record.instruction, "", record.response)
        with torch.no_grad():
            loss = model(torch.tensor([one.ids]), labels=torch.tensor([one.labels])).loss
        total, tokens = total + float(loss) * one.supervised, tokens + one.supervised
    assert measured.tokens == tokens
    assert measured.mean == pytest.approx(total / tokens, rel=1e-5)


def test_a_long_row_keeps_its_completion(tiny_tokenizer: Any) -> None:
    form = InstructFormat(Template(), tiny_tokenizer)
    record = Record("q", "the answer", context="long " * 500)
    short = row(form, record, 300, show_context=True)
    whole = form.row("q", record.context, "the answer")
    assert len(short.ids) == len(whole.ids) - short.cut <= 300
    kept = [label for label in short.labels if label != IGNORED]
    assert tiny_tokenizer.decode(kept[:-1]) == "the answer"
