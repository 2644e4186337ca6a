import json
import math
import re
import resource
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ragtune.core.errors import ModelError, RunError
from ragtune.core.progress import Silent
from ragtune.models.adapter import load_tuned
from ragtune.models.hardware import Hardware, quantizes
from ragtune.models.load import load_base
from ragtune.prompts.instruct import InstructFormat
from ragtune.recipe import file as recipe_file
from ragtune.recipe.schema import Recipe
from ragtune.tuning import checkpoint, memory
from ragtune.tuning import trainer as train
from ragtune.tuning.autograd import AutogradPasses
from ragtune.tuning.direct import passes as direct
from ragtune.tuning.direct.passes import DirectPasses
from ragtune.tuning.distributed import Team
from ragtune.tuning.samples import Samples, prepare
from ragtune.tuning.trainer import Tuned, tune
from tests.conftest import record_rows


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours catches it, and only files are left."""


class Lines(Silent):
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def hardware(dtype: str = "float32") -> Hardware:
    return Hardware("cpu", "test", 1, dtype, "float32")


def prepared(recipe: Recipe, tokenizer: Any) -> Samples:
    rows = [
        {"instruction": r["instruction"], "context": "", "response": r["response"]}
        for r in record_rows()
    ]
    length = recipe.tune.max_input_length
    return prepare(rows, recipe.tune, InstructFormat(recipe.template.build(), tokenizer), length)


def tuned_by(recipe: Recipe, base: Path, samples: Samples, **more: Any) -> Tuned:
    return tune(
        recipe.tune,
        base,
        samples,
        seed=recipe.seed,
        name=recipe.model.local,
        template_hash=recipe.template.build().hash,
        **more,
    )


@pytest.fixture
def run(
    project: Callable[..., Path], tiny_llama: Path, tiny_tokenizer: Any
) -> Callable[..., Tuned]:
    """Tune the tiny model into a folder; overrides of the recipe come last."""

    def go(
        folder: Path, *overrides: str, dtype: str = "float32", base: Path = tiny_llama, **more: Any
    ) -> Tuned:
        recipe = recipe_file.load(project(), ("tune.epoch=2", *overrides))
        samples = prepared(recipe, tiny_tokenizer)
        return tuned_by(recipe, base, samples, hardware=hardware(dtype), folder=folder, **more)

    return go


def weights(folder: Path) -> dict[str, torch.Tensor]:
    tensors: dict[str, torch.Tensor] = load_file(folder / "adapter/adapter_model.safetensors")
    return tensors


def kill_at(step: int) -> Callable[[int, int], None]:
    def advance(done: int, total: int) -> None:
        if done == step:
            raise Killed

    return advance


def test_tuning_lowers_the_loss_and_writes_a_plain_peft_adapter(
    run: Callable[..., Tuned],
    project: Callable[..., Path],
    tiny_llama: Path,
    tmp_path: Path,
) -> None:
    tuned = run(tmp_path, "tune.epoch=3")
    losses = [e["eval_loss"] for e in tuned.epochs]
    assert losses[-1] < losses[0]
    assert tuned.best_epoch == 3
    rates = [e["learning_rate"] for e in tuned.epochs]
    assert rates == pytest.approx([0.01, 0.01 * 0.85, 0.01 * 0.85**2], rel=1e-6)
    steps = len(tuned.steps)
    assert [e["step"] for e in tuned.steps] == list(range(1, steps + 1))
    assert sum(e["loss"] for e in tuned.steps[-steps // 3 :]) / (steps // 3) == pytest.approx(
        tuned.epochs[-1]["train_loss"]
    )

    from peft import PeftModel
    from transformers import LlamaForCausalLM

    base = LlamaForCausalLM.from_pretrained(tiny_llama)
    plain = PeftModel.from_pretrained(base, str(tmp_path / "adapter"))
    ids = torch.tensor([[0, 5, 6, 7]])
    with torch.no_grad():
        by_peft = plain(ids).logits
    template = recipe_file.load(project()).template.build().hash
    merged = load_tuned(tiny_llama, tmp_path / "adapter", template, hardware())
    with torch.no_grad():
        torch.testing.assert_close(merged(ids).logits, by_peft, atol=1e-4, rtol=1e-4)


def test_the_log_has_the_lines_that_the_clouds_metrics_are_read_from(
    run: Callable[..., Tuned], tmp_path: Path
) -> None:
    watcher = Lines()
    tuned = run(tmp_path, watcher=watcher)
    log = "\n".join(watcher.lines)
    patterns = {
        "train_loss": r"train_epoch_loss=([0-9\.]+)",
        "eval_loss": r"eval_epoch_loss=tensor\(([0-9\.]+)",
    }
    for name, pattern in patterns.items():
        found = [float(loss) for loss in re.findall(pattern, log)]
        assert found == [round(e[name], 4) for e in tuned.epochs]
    assert len(re.findall(r"eval_ppl=tensor\(([0-9\.]+)", log)) == 2


@pytest.mark.parametrize(
    ("seconds", "dtype"), [(0.0, "float32"), (1e9, "bfloat16")], ids=["each-step", "each-epoch"]
)
def test_a_run_killed_at_any_step_ends_in_the_very_same_weights(
    run: Callable[..., Tuned],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dtype: str,
    seconds: float,
) -> None:
    monkeypatch.setattr(train, "CHECKPOINT_SECONDS", seconds)
    few = ("tune.max_train_samples=6", "tune.gradient_accumulation_steps=4")
    straight = run(tmp_path / "straight", *few, dtype=dtype)
    expected = weights(tmp_path / "straight")
    assert len(straight.steps) == 6
    for step in range(1, len(straight.steps) + 1):
        folder = tmp_path / f"killed-{step}"
        with pytest.raises(Killed):
            run(folder, *few, dtype=dtype, advance=kill_at(step))
        again = run(folder, *few, dtype=dtype)
        assert all(torch.equal(expected[key], t) for key, t in weights(folder).items())
        assert again.epochs == straight.epochs
        assert again.best_epoch == straight.best_epoch


def test_ctrl_c_keeps_the_last_whole_step(run: Callable[..., Tuned], tmp_path: Path) -> None:
    straight = run(tmp_path / "straight")
    watcher = Lines()

    def advance(done: int, total: int) -> None:
        if done == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", advance=advance, watcher=watcher)
    assert watcher.lines[-1] == f"tune: stopped after step 2 of {len(straight.steps)}"
    again = run(tmp_path / "stopped", watcher=watcher)
    assert again.resumed_from_step == 2
    expected = weights(tmp_path / "straight")
    assert all(torch.equal(expected[k], t) for k, t in weights(tmp_path / "stopped").items())


def test_a_full_disk_leaves_the_last_checkpoint_whole(
    run: Callable[..., Tuned], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "CHECKPOINT_SECONDS", 0.0)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def advance(done: int, total: int) -> None:
        if done == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))

    try:
        with pytest.raises(RunError, match=r"at step 2: .*; the checkpoint of step 1 is kept"):
            run(tmp_path / "full", advance=advance)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [p.name for p in (tmp_path / "full" / "checkpoint").iterdir()] == [checkpoint.NAME]
    assert run(tmp_path / "full").resumed_from_step == 1


def test_a_loss_that_is_not_finite_names_the_rows(
    run: Callable[..., Tuned], tiny_llama: Path, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    base = shutil.copytree(tiny_llama, tmp_path / "broken")
    tensors = load_file(base / "model.safetensors")
    for token in tiny_tokenizer("Petrel", add_special_tokens=False)["input_ids"]:
        tensors["model.embed_tokens.weight"][token] = float("nan")
    save_file(tensors, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"diverged at step 1: .*, rows [0-9, ]+, is not finite"):
        run(tmp_path / "run", "tune.local.layout=rows", base=base)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_gradient_that_is_not_finite_names_the_rows_too(
    run: Callable[..., Tuned], tmp_path: Path, bad: float
) -> None:
    class Poisoned(Team):
        def add(self, tensors: Sequence[torch.Tensor]) -> None:
            if len(tensors) > 1:
                tensors[1][5] = bad

    with pytest.raises(ModelError, match=r"diverged at step 1: .*, rows [0-9, ]+, is not finite"):
        run(tmp_path / "run", team=Poisoned())


def test_accumulating_more_and_smaller_batches_changes_nothing(
    run: Callable[..., Tuned], tmp_path: Path
) -> None:
    found = []
    for micro, steps in ((1, 8), (4, 2)):
        folder = tmp_path / f"{micro}x{steps}"
        run(
            folder,
            "tune.local={layout: rows, loss: completion}",
            "tune.max_input_length=256",
            "tune.lora_dropout=0",
            "tune.validation_split_ratio=0",
            f"tune.per_device_train_batch_size={micro}",
            f"tune.gradient_accumulation_steps={steps}",
        )
        found.append(weights(folder))
    for name, tensor in found[0].items():
        torch.testing.assert_close(tensor, found[1][name], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("way", [AutogradPasses, DirectPasses])
def test_where_memory_runs_out_the_micro_batch_is_halved_and_this_is_recorded(
    run: Callable[..., Tuned], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Any
) -> None:
    whole = way.gradients
    if way is AutogradPasses:
        monkeypatch.setattr(direct, "knows", lambda *asked: False)
    options = ("tune.per_device_train_batch_size=4", "tune.lora_dropout=0")
    run(tmp_path / "roomy", *options)

    def cramped(self: Any, samples: Any, tokens: int, seed: int) -> Any:
        found = whole(self, samples, tokens, seed)  # what was added by then is to be forgotten
        if sum(len(s.ids) for s in samples) > 64:
            raise torch.OutOfMemoryError("Tried to allocate more than there is")
        return found

    monkeypatch.setattr(way, "gradients", cramped)
    tuned = run(tmp_path / "cramped", *options)
    assert tuned.micro_batch == 1
    assert tuned.substitutions == [
        "micro-batches of 2 instead of 4: memory is short",
        "micro-batches of 1 instead of 4: memory is short",
    ]
    expected = weights(tmp_path / "roomy")
    for name, tensor in weights(tmp_path / "cramped").items():
        torch.testing.assert_close(tensor, expected[name], atol=1e-5, rtol=1e-4)


def test_a_run_computed_directly_ends_where_autograds_does(
    run: Callable[..., Tuned], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = (
        "tune.lora_dropout=0",
        "tune.max_input_length=256",
        "tune.local={layout: packed, loss: completion}",
    )
    mine = run(tmp_path / "direct", *options)
    monkeypatch.setattr(direct, "knows", lambda *asked: False)
    theirs = run(tmp_path / "autograd", *options)
    assert mine.steps == [pytest.approx(step, rel=1e-5) for step in theirs.steps]
    assert mine.epochs == [pytest.approx(epoch, rel=1e-5) for epoch in theirs.epochs]
    assert (mine.parameters, mine.trainable_parameters) == (
        theirs.parameters,
        theirs.trainable_parameters,
    )
    expected = weights(tmp_path / "autograd")
    for name, tensor in weights(tmp_path / "direct").items():
        torch.testing.assert_close(tensor, expected[name], atol=1e-5, rtol=1e-4)


def test_where_not_even_one_sample_fits_activations_are_computed_twice(
    run: Callable[..., Tuned], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "roomy", "tune.epoch=1")
    monkeypatch.setattr(memory, "free", lambda device: 1000)
    tuned = run(tmp_path / "cramped", "tune.epoch=1")
    assert tuned.substitutions == [
        "activations are computed twice (checkpointing): memory is short"
    ]
    expected = weights(tmp_path / "roomy")
    for name, tensor in weights(tmp_path / "cramped").items():
        torch.testing.assert_close(tensor, expected[name], atol=1e-5, rtol=1e-4)


@pytest.mark.skipif(not quantizes(hardware()), reason="bitsandbytes is not here")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_over_a_base_in_four_bits_tuning_learns_and_goes_on_bitwise(
    run: Callable[..., Tuned], tiny_llama: Path, tmp_path: Path, dtype: str
) -> None:
    nf4 = "tune.local.quantize=nf4"
    tuned = run(tmp_path / "straight", nf4, dtype=dtype)
    assert tuned.substitutions == []
    assert tuned.epochs[-1]["eval_loss"] < tuned.epochs[0]["eval_loss"]
    with pytest.raises(Killed):
        run(tmp_path / "killed", nf4, dtype=dtype, advance=kill_at(1))
    again = run(tmp_path / "killed", nf4, dtype=dtype)
    assert again.epochs == tuned.epochs
    whole = run(tmp_path / "whole", dtype=dtype)
    assert whole.epochs != tuned.epochs
    assert whole.epochs[-1]["eval_loss"] == pytest.approx(tuned.epochs[-1]["eval_loss"], rel=0.05)
    quantized = load_base(tiny_llama, hardware(dtype), training=True, quantized=True)
    kinds = {type(module).__name__ for module in quantized.modules()}
    assert "Linear4bit" in kinds


def test_where_four_bits_cannot_be_had_this_is_said_and_recorded(
    run: Callable[..., Tuned], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "quantizes", lambda hardware: False)
    watcher = Lines()
    tuned = run(tmp_path, "tune.local.quantize=nf4", "tune.epoch=1", watcher=watcher)
    said = "weights in float32 instead of nf4: bitsandbytes does not compute on cpu here"
    assert tuned.substitutions == [said]
    assert f"tune: {said}" in watcher.lines


@pytest.mark.parametrize("option", ["dora", "rslora"])
def test_what_the_cloud_job_cannot_do_is_a_plain_peft_adapter_too(
    run: Callable[..., Tuned], tiny_llama: Path, tmp_path: Path, option: str
) -> None:
    tuned = run(tmp_path, f"tune.local.{option}=true")
    assert tuned.epochs[-1]["eval_loss"] < tuned.epochs[0]["eval_loss"]
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert config[f"use_{option}"] is True

    from peft import PeftModel
    from transformers import LlamaForCausalLM

    base = LlamaForCausalLM.from_pretrained(tiny_llama)
    PeftModel.from_pretrained(base, str(tmp_path / "adapter"))


def test_an_adapter_is_refused_with_another_template(tiny_llama: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "ragtune.json").write_text(json.dumps({"template_hash": "0" * 64}))
    with pytest.raises(ModelError, match="tuned with template 00000000, asked with"):
        load_tuned(tiny_llama, adapter, "1" * 64, hardware())


def test_modules_that_the_model_lacks_are_named(
    project: Callable[..., Path], tiny_llama: Path, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    recipe = recipe_file.load(project())
    spec = recipe.tune.model_copy(update={"target_modules": "nonsense"})
    recipe = recipe.model_copy(update={"tune": spec})
    samples = prepared(recipe, tiny_tokenizer)
    with pytest.raises(
        ModelError, match=r"tune\.target_modules: llama has no nonsense; allowed: q_proj"
    ):
        tuned_by(recipe, tiny_llama, samples, hardware=hardware(), folder=tmp_path / "work")
