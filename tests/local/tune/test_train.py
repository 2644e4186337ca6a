import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from local import models, recipe_file
from local.errors import ModelError
from local.recipe import Recipe
from local.template import IGNORED, Renderer
from local.tune.samples import Sample, Samples, prepare
from local.tune.train import Tuned, WholeBatches, collate, tune
from tests.conftest import record_rows


@pytest.fixture
def fp32() -> models.Hardware:
    return models.Hardware("cpu", "test", 1, "float32", "float32")


def prepared(recipe: Recipe, tokenizer: Any) -> Samples:
    rows = [
        {"instruction": r["instruction"], "context": "", "response": r["response"]}
        for r in record_rows()
    ]
    return prepare(rows, recipe.tune, Renderer(recipe.template.build(), tokenizer), 64)


def run(
    recipe: Recipe, base: Path, tokenizer: Any, hardware: models.Hardware, folder: Path
) -> Tuned:
    return tune(
        recipe,
        base,
        prepared(recipe, tokenizer),
        pad=tokenizer.pad_token_id,
        hardware=hardware,
        folder=folder,
    )


def test_tuning_lowers_the_loss_and_writes_a_plain_peft_adapter(
    project: Callable[..., Path],
    tiny_llama: Path,
    tiny_tokenizer: Any,
    fp32: models.Hardware,
    tmp_path: Path,
) -> None:
    recipe = recipe_file.load(project(), ("tune.epoch=3",))
    tuned = run(recipe, tiny_llama, tiny_tokenizer, fp32, tmp_path / "work")
    losses = [e["eval_loss"] for e in tuned.epochs]
    assert losses[-1] < losses[0]
    assert tuned.best_epoch == 3
    rates = [e["learning_rate"] for e in tuned.epochs]
    assert rates == pytest.approx([0.01, 0.01 * 0.85, 0.01 * 0.85**2], rel=1e-6)

    from peft import PeftModel
    from transformers import LlamaForCausalLM

    base = LlamaForCausalLM.from_pretrained(tiny_llama)
    plain = PeftModel.from_pretrained(base, str(tmp_path / "work" / "adapter"))
    ids = torch.tensor([[0, 5, 6, 7]])
    with torch.no_grad():
        by_peft = plain(ids).logits
    merged = models.load_tuned(
        tiny_llama, tmp_path / "work" / "adapter", recipe.template.build().hash, fp32
    )
    with torch.no_grad():
        torch.testing.assert_close(merged(ids).logits, by_peft, atol=1e-4, rtol=1e-4)


def test_resuming_at_an_epoch_ends_in_the_very_same_weights(
    project: Callable[..., Path],
    tiny_llama: Path,
    tiny_tokenizer: Any,
    fp32: models.Hardware,
    tmp_path: Path,
) -> None:
    recipe = recipe_file.load(project(), ("tune.epoch=3",))
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    run(recipe, tiny_llama, tiny_tokenizer, fp32, straight)
    shutil.copytree(straight, stopped)
    shutil.rmtree(stopped / "adapter")
    checkpoints = sorted(stopped.glob("checkpoints/checkpoint-*"))
    last = max(checkpoints, key=lambda p: int(p.name.rpartition("-")[2]))
    (last / "trainer_state.json").unlink()  # a kill in the middle of writing it
    again = run(recipe, tiny_llama, tiny_tokenizer, fp32, stopped)
    assert again.resumed_from_step > 0
    name = "adapter/adapter_model.safetensors"
    before, after = load_file(straight / name), load_file(stopped / name)
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_an_adapter_is_refused_with_another_template(
    project: Callable[..., Path],
    tiny_llama: Path,
    tmp_path: Path,
    fp32: models.Hardware,
) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "ragtune.json").write_text(json.dumps({"template_hash": "0" * 64}))
    with pytest.raises(ModelError, match="tuned with template 00000000, asked with"):
        models.load_tuned(tiny_llama, adapter, "1" * 64, fp32)


def test_modules_that_the_model_lacks_are_named(
    project: Callable[..., Path],
    tiny_llama: Path,
    tiny_tokenizer: Any,
    fp32: models.Hardware,
    tmp_path: Path,
) -> None:
    recipe = recipe_file.load(project())
    spec = recipe.tune.model_copy(update={"target_modules": "nonsense"})
    recipe = recipe.model_copy(update={"tune": spec})
    with pytest.raises(ModelError, match=r"tune\.target_modules"):
        run(recipe, tiny_llama, tiny_tokenizer, fp32, tmp_path / "work")


def test_each_epoch_has_its_own_order_of_whole_batches() -> None:
    sampler = WholeBatches(count=10, batch=4, seed=1)
    first = list(sampler)
    sampler.set_epoch(1)
    assert len(first) == len(sampler) == 8
    assert len(set(first)) == 8
    assert list(sampler) != first


def test_a_batch_is_masked_only_where_it_is_padded() -> None:
    even = collate([Sample([1, 2], [1, 2]), Sample([3, 4], [3, 4])], pad=9)
    assert "attention_mask" not in even
    uneven = collate([Sample([1, 2], [IGNORED, 2]), Sample([3], [3])], pad=9)
    assert uneven["input_ids"].tolist() == [[1, 2], [3, 9]]
    assert uneven["labels"].tolist() == [[IGNORED, 2], [3, IGNORED]]
    assert uneven["attention_mask"].tolist() == [[1, 1], [1, 0]]


def test_the_model_answers_packed_and_padded_rows_alike(tiny_llama: Path) -> None:
    from transformers import LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(tiny_llama).eval()
    batch = collate([Sample([0, 5, 6], [0, 5, 6]), Sample([0, 7], [0, 7])], pad=2)
    batch.pop("labels")
    with torch.no_grad():
        together = model(**batch).logits[1, :2]
        alone = model(input_ids=torch.tensor([[0, 7]])).logits[0]
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)
