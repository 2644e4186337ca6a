import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ragtune.core.errors import ModelError, RunError
from ragtune.models.hardware import Hardware, quantizes
from ragtune.models.load import load_tokenizer
from ragtune.prompts.instruct import InstructFormat
from ragtune.recipe import file as recipe_file
from ragtune.runs.materials import prepare_records
from ragtune.tuning import export as exporting
from ragtune.tuning.export import Drift, export
from ragtune.tuning.rows import training_rows
from ragtune.tuning.samples import block_length, prepare
from ragtune.tuning.trainer import tune

HARDWARE = Hardware("cpu", "test", 1, "float32", "float32")
ROWS = [[0, 5, 6, 7, 9, 11, 3], [0, 8, 200, 14]]


def tuned(path: Path, base: Path, folder: Path, *overrides: str) -> Any:
    """Tune ``base`` by the recipe at ``path``; return the recipe's template and the tokenizer."""
    recipe = recipe_file.load(path, overrides)
    tokenizer = load_tokenizer(base)
    template = recipe.template.build()
    rows = training_rows(prepare_records(recipe).train, recipe.records, template, seed=recipe.seed)
    length = block_length(recipe.tune, tokenizer, 512)
    samples = prepare(rows, recipe.tune, InstructFormat(template, tokenizer), length)
    tune(
        recipe.tune,
        base,
        samples,
        seed=recipe.seed,
        name=recipe.model.local,
        template_hash=template.hash,
        hardware=HARDWARE,
        folder=folder,
    )
    return template, tokenizer


@pytest.fixture
def merge(
    project: Callable[..., Path], tiny_llama: Path, tmp_path: Path
) -> Callable[[Path, str], Drift]:
    """Tune the tiny model once, and export it as often as wanted."""
    template, tokenizer = tuned(project(), tiny_llama, tmp_path / "run")

    def go(folder: Path, dtype: str = "bfloat16") -> Drift:
        return export(
            tiny_llama,
            tmp_path / "run" / "adapter",
            folder,
            dtype=dtype,
            template_hash=template.hash,
            tokenizer=tokenizer,
            rows=ROWS,
        )

    return go


def test_the_merged_folder_needs_nothing_of_ours(
    merge: Callable[..., Drift], tiny_llama: Path, tmp_path: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    drift = merge(tmp_path / "merged")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    assert model.dtype == torch.bfloat16
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "merged")
    assert tokenizer("When")["input_ids"] == load_tokenizer(tiny_llama)("When")["input_ids"]

    base = AutoModelForCausalLM.from_pretrained(tiny_llama)
    plain = PeftModel.from_pretrained(base, str(tmp_path / "run" / "adapter"))
    ids = torch.tensor(ROWS[:1])
    with torch.no_grad():
        apart, together = plain(ids).logits, model.float()(ids).logits
        untuned = AutoModelForCausalLM.from_pretrained(tiny_llama)(ids).logits
    assert (apart - together)[:, :-1].abs().max() <= drift.max_logit + 1e-4
    assert (untuned - together).abs().max() > 3 * drift.max_logit
    assert drift.tokens == sum(len(row) - 1 for row in ROWS)
    assert 0 < drift.mean_nats < 0.01
    kept = json.loads((tmp_path / "merged" / "ragtune.json").read_text())
    assert kept["drift"]["mean_nats"] == drift.mean_nats


def test_half_precision_drifts_less_than_bfloat(
    merge: Callable[..., Drift], tmp_path: Path
) -> None:
    brain, half = merge(tmp_path / "merged"), merge(tmp_path / "merged", "float16")
    assert half.max_logit < brain.max_logit


def test_too_much_drift_is_refused_and_leaves_nothing(
    merge: Callable[..., Drift], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BOUND", 1e-9)
    with pytest.raises(ModelError, match="merged: not written: drift over 9 tokens: "):
        merge(tmp_path / "merged")
    assert [p.name for p in tmp_path.iterdir() if "merged" in p.name] == []


def test_a_folder_with_something_else_in_it_is_left_alone(
    merge: Callable[..., Drift], tmp_path: Path
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("one")
    with pytest.raises(RunError, match="thesis: holds something else"):
        merge(tmp_path / "thesis")
    assert [p.name for p in (tmp_path / "thesis").iterdir()] == ["chapter.txt"]


def test_an_adapter_is_never_overwritten_by_what_it_is_merged_into(
    merge: Callable[..., Drift], tmp_path: Path
) -> None:
    adapter = tmp_path / "run" / "adapter"
    assert (adapter / "ragtune.json").exists()
    before = {path.name: path.read_bytes() for path in adapter.iterdir()}
    with pytest.raises(RunError, match="adapter: holds something else"):
        merge(adapter)
    assert {path.name: path.read_bytes() for path in adapter.iterdir()} == before


@pytest.mark.skipif(not quantizes(HARDWARE), reason="bitsandbytes is not here")
def test_what_was_tuned_over_four_bits_is_merged_into_sixteen(
    project: Callable[..., Path], tiny_llama: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    nf4 = "tune.local.quantize=nf4"
    template, tokenizer = tuned(project(), tiny_llama, tmp_path / "run", nf4, "tune.epoch=1")
    export(
        tiny_llama,
        tmp_path / "run" / "adapter",
        tmp_path / "merged",
        dtype="bfloat16",
        template_hash=template.hash,
        tokenizer=tokenizer,
        rows=ROWS,
    )
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    assert not hasattr(model.config, "quantization_config")


@pytest.mark.parametrize("name", ["TinyStories-656K", "stories260K-hf"])
def test_llamas_from_elsewhere_are_tuned_exported_and_loaded(
    shared: Path, tmp_path: Path, name: str
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = shared / "models" / name
    path = tmp_path / "recipe.yaml"
    path.write_text(
        f"name: real\nrecords: {{source: {shared / 'dolly'}, categories: [summarization]}}\n"
        "tune: {epoch: 1, learning_rate: 0.005, max_input_length: 128, max_train_samples: 24}\n"
    )
    template, tokenizer = tuned(path, base, tmp_path / "run")
    text = "Once upon a time there was a ferry."
    rows = [tokenizer(text)["input_ids"]]
    folder = tmp_path / "merged"
    drift = export(
        base,
        tmp_path / "run" / "adapter",
        folder,
        dtype="bfloat16",
        template_hash=template.hash,
        tokenizer=tokenizer,
        rows=rows,
    )
    assert drift.mean_nats < 0.05
    model = AutoModelForCausalLM.from_pretrained(folder)
    plain = AutoTokenizer.from_pretrained(folder)
    answer = model.generate(**plain(text, return_tensors="pt"), max_new_tokens=4)
    assert plain.decode(answer[0], skip_special_tokens=True).startswith(text[:10])
