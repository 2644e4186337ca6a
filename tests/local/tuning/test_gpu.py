"""On CUDA what a CPU gives: the same losses and gradients, and a run that learns and resumes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from ragtune.models.adapter import load_tuned
from ragtune.models.families.llama import Llama
from ragtune.models.hardware import Hardware, probe
from ragtune.models.load import load_base
from ragtune.prompts.instruct import InstructFormat, Template
from ragtune.recipe.tune import Tune
from ragtune.tuning import lora
from ragtune.tuning import trainer as train
from ragtune.tuning.batches import collate
from ragtune.tuning.samples import Sample, prepare
from ragtune.tuning.trainer import Tuned, tune
from tests.conftest import record_rows

pytestmark = pytest.mark.gpu

TEMPLATE = Template()
ROWS = [[0, 5, 6, 9, 11], [0, 7, 8], [0, 200, 3, 40]]
SPEC = Tune.model_validate(
    {
        "epoch": 2,
        "learning_rate": 0.01,
        "lora_dropout": 0.0,
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 1,
        "local": {"layout": "packed", "loss": "completion"},
    }
)


def hardware(device: str, dtype: str) -> Hardware:
    return Hardware(device, "test", 1, dtype, dtype)


@pytest.mark.parametrize("segments", [True, False])
@pytest.mark.parametrize(
    ("dtype", "bound"), [("float32", 1e-3), ("bfloat16", 3e-2)], ids=["fp32", "bf16"]
)
def test_loss_and_gradients_are_the_cpus(
    tiny_llama: Path, segments: bool, dtype: str, bound: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Llama, "segments", segments)
    found: list[list[torch.Tensor]] = []
    for device, precision in (("cpu", "float32"), ("cuda", dtype)):
        base = load_base(tiny_llama, hardware(device, precision), training=True)
        model = lora.with_lora(base, SPEC, Llama())
        generator = torch.Generator().manual_seed(7)
        trained = [p for _, p in sorted(model.named_parameters()) if p.requires_grad]
        for parameter in trained:
            parameter.data.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)
        samples = [Sample(row, row) for row in ROWS]
        loss = lora.batch_loss(model, collate(samples, device, segments=segments), Llama())
        grads = torch.autograd.grad(loss, trained)
        found.append([t.float().cpu() for t in (loss.detach(), *grads)])
    for cpu, cuda in zip(*found, strict=True):
        assert (cuda - cpu).norm() <= bound * cpu.norm() + 1e-6


def tuned(base: Path, folder: Path, tokenizer: Any, on: Hardware, **more: Any) -> Tuned:
    rows = [
        {"instruction": r["instruction"], "context": "", "response": r["response"]}
        for r in record_rows()
    ]
    samples = prepare(rows, SPEC, InstructFormat(TEMPLATE, tokenizer), 512)
    return tune(
        SPEC,
        base,
        samples,
        seed=1,
        name="tiny",
        template_hash=TEMPLATE.hash,
        hardware=on,
        folder=folder,
        **more,
    )


def test_a_run_learns_what_it_learns_on_a_cpu(
    tiny_llama: Path, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    cpu = tuned(tiny_llama, tmp_path / "cpu", tiny_tokenizer, hardware("cpu", "float32"))
    cuda = tuned(tiny_llama, tmp_path / "cuda", tiny_tokenizer, hardware("cuda", "float32"))
    assert cuda.substitutions == []
    assert cuda.steps == [pytest.approx(step, rel=1e-2) for step in cpu.steps]
    assert cuda.epochs[-1]["eval_loss"] < cuda.epochs[0]["eval_loss"]


def test_the_machines_own_precision_trains_resumes_and_answers(
    tiny_llama: Path, tiny_tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(done: int, total: int) -> None:
        if done == 2:
            raise Killed

    on = probe()
    assert on.device == "cuda"
    monkeypatch.setattr(train, "CHECKPOINT_SECONDS", 0.0)
    straight = tuned(tiny_llama, tmp_path / "straight", tiny_tokenizer, on)
    with pytest.raises(Killed):
        tuned(tiny_llama, tmp_path / "killed", tiny_tokenizer, on, advance=kill)
    again = tuned(tiny_llama, tmp_path / "killed", tiny_tokenizer, on)
    assert again.resumed_from_step >= 1
    assert again.epochs == [pytest.approx(epoch, rel=1e-2) for epoch in straight.epochs]
    adapter = tmp_path / "killed" / "adapter"
    assert all(
        t.isfinite().all() for t in load_file(adapter / "adapter_model.safetensors").values()
    )
    merged = load_tuned(tiny_llama, adapter, TEMPLATE.hash, on)
    ids = torch.tensor([[0, 5, 6]], device="cuda")
    with torch.no_grad():
        assert torch.isfinite(merged(ids).logits).all()
