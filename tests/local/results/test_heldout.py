from pathlib import Path
from typing import Any

import pytest
import torch

from ragtune.models.hardware import probe
from ragtune.models.load import load_base
from ragtune.prompts.instruct import IGNORED, Renderer, Template
from ragtune.results.heldout import collate, completion_loss
from ragtune.sources.records import Record
from ragtune.tuning.samples import Sample


def test_the_loss_is_the_models_own_over_the_completions_tokens(
    tiny_llama: Path, tiny_tokenizer: Any
) -> None:
    model: Any = load_base(tiny_llama, probe())
    renderer = Renderer(Template(), tiny_tokenizer)
    records = [Record(f"question {n}", "answer " * n) for n in (1, 2, 5)]
    measured = completion_loss(
        model, tiny_tokenizer, renderer, records, 768, show_context=True, batch_size=2
    )
    total, tokens = 0.0, 0
    for record in records:
        row = renderer.row(record.instruction, "", record.response)
        with torch.no_grad():
            loss = model(torch.tensor([row.ids]), labels=torch.tensor([row.labels])).loss
        total, tokens = total + float(loss) * row.supervised, tokens + row.supervised
    assert measured["tokens"] == tokens
    assert measured["loss"] == pytest.approx(total / tokens, rel=1e-5)


def test_a_long_row_keeps_its_completion(tiny_llama: Path, tiny_tokenizer: Any) -> None:
    from ragtune.results.heldout import _row

    renderer = Renderer(Template(), tiny_tokenizer)
    record = Record("q", "the answer", context="long " * 500)
    row = _row(renderer, record, 300, show_context=True)
    assert len(row.ids) <= 300
    kept = [label for label in row.labels if label != IGNORED]
    assert tiny_tokenizer.decode(kept[:-1]) == "the answer"


def test_a_batch_is_masked_only_where_it_is_padded() -> None:
    even = collate([Sample([1, 2], [1, 2]), Sample([3, 4], [3, 4])], pad=9)
    assert "attention_mask" not in even
    uneven = collate([Sample([1, 2], [IGNORED, 2]), Sample([3], [3])], pad=9)
    assert uneven["input_ids"].tolist() == [[1, 2], [3, 9]]
    assert uneven["labels"].tolist() == [[IGNORED, 2], [3, IGNORED]]
    assert uneven["attention_mask"].tolist() == [[1, 1], [1, 0]]
