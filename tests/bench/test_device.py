import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ragtune.models.families.llama import Llama
from ragtune.models.folder import family_at
from scripts.bench.device import answering, flops, meter, needed, parts, shapes, tuning
from scripts.bench.device.parts import Part, alone, chosen
from scripts.bench.device.report import report
from scripts.bench.device.running import figures
from scripts.bench.device.shapes import SHAPES

TINY = SHAPES["tiny"]
ENVIRONMENT = {"card": "H100", "date": "2026-11-26", "versions": {"torch": "2.13", "vllm": None}}


# The published models' parameters less those of norms and, where the head has its own, embedding.
@pytest.mark.parametrize(
    ("shape", "parameters"),
    [
        ("llama-3.2-1b", 1_235_814_400 - 33 * 2048),
        ("llama-3.1-8b", 8_030_261_248 - 65 * 4096 - 128_256 * 4096),
    ],
)
def test_parameters_of_matrices_are_the_published_models(shape: str, parameters: int) -> None:
    assert flops.matrix_parameters(SHAPES[shape].config) == parameters


def test_matrices_are_counted_as_the_model_has_them() -> None:
    model = shapes.random_model(TINY, "cpu", "bfloat16")
    matrices = {id(p): p for p in model.parameters() if p.dim() == 2}
    assert flops.matrix_parameters(TINY.config) == sum(p.numel() for p in matrices.values())
    assert all(p.dtype == torch.bfloat16 for p in model.parameters())


def test_a_frozen_parameter_counts_four_and_a_trained_one_six() -> None:
    frozen = flops.matrix_parameters(TINY.config)
    attention = 12 * 2 * (2 * 64) * 100
    assert flops.lora_flops(TINY.config, 1000, 100) == 4 * frozen + 6 * 1000 + attention


@pytest.mark.parametrize(
    ("card", "tera"),
    [
        ("NVIDIA H100 80GB HBM3", 989.4),
        ("NVIDIA H100 PCIe", 756.0),
        ("NVIDIA A100-SXM4-80GB", 312.0),
        ("NVIDIA A10G", 70.0),
        ("NVIDIA L40S", 362.05),
        ("NVIDIA L4", 121.0),
    ],
)
def test_a_cards_peak_is_that_of_its_data_sheet(card: str, tera: float) -> None:
    assert flops.peak(card) == tera * 1e12
    assert flops.peak("AMD EPYC") is None
    assert flops.peak("NVIDIA L40") is None  # which is no L4


def test_the_first_steps_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = iter([10.0, 20.0, 21.0, 22.0, 23.5])
    monkeypatch.setattr(time, "perf_counter", lambda: next(ends))
    measured = meter.Meter("cpu", seconds=3.0)
    assert [measured.step() for _ in range(5)] == [False, False, False, False, True]
    assert (measured.counted, measured.spent) == (3, 3.5)
    with pytest.raises(ValueError, match="0 steps were made"):
        _ = meter.Meter("cpu", 1.0).spent


def run(part: Part, limit: float) -> dict[str, Any]:
    return {"kind": part.kind, "name": part.name, "limit": limit, "took": 1.0}


def ticking(*times: float) -> Callable[[], float]:
    return iter(times).__next__


def test_what_is_not_installed_or_has_no_time_left_is_left_out_and_said() -> None:
    planned = [
        Part("answers", "cpu", contender="vllm", needs="vllm"),
        Part("parity", "cpu", limit=60),
        Part("tests", "cpu", limit=60),
        Part("products", "cpu", limit=60),
    ]
    clock = ticking(0.0, 0.0, 0.0, 70.0, 90.0)
    found = list(figures(planned, 100.0, run, lambda name: name != "vllm", clock))
    assert [f.get("failed") for f in found] == [
        "vllm is not installed",
        None,
        None,
        "no time was left of 100 s",
    ]
    assert [f.get("limit") for f in found] == [None, 60, 30.0, None]


def test_a_part_that_takes_too_long_is_ended() -> None:
    started = time.monotonic()
    found = alone(Part("products", "cpu", seconds=600.0), 1.0)
    assert found["failed"] == "not done after 1 s"
    assert time.monotonic() - started < 30


def test_a_part_that_fails_says_why_and_one_that_does_not_gives_its_figures() -> None:
    wrong = alone(Part("products", "nowhere"), 120.0)
    assert wrong["failed"].startswith("RuntimeError: ")
    right = alone(Part("products", "cpu", seconds=0.05), 120.0)
    assert right["tflops"] > 0
    assert "failed" not in right


def test_every_shape_and_engine_is_asked_for_at_full_size() -> None:
    names = [part.name for part in chosen("full", "cuda")]
    assert len(set(names)) == len(names)
    for expected in (
        "lora llama-3.2-1b: ragtune",
        "lora llama-3.2-1b: plain",
        "lora llama-3.2-1b: documented",
        "lora llama-3.1-8b: ragtune",
        "lora llama-3.1-8b: nf4 ragtune",
        "rows llama-3.2-1b: padded",
        "answers llama-3.1-8b: vllm, batch 32",
        "answers llama-3.2-1b: ragtune, batch 1",
        "parity",
        "tests",
    ):
        assert expected in names


def test_tuning_answering_and_layouts_run_at_a_small_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Llama, "segments", True)  # which ``rows`` sets
    monkeypatch.setattr("ragtune.models.engines.decoding.LOOKUP", ())
    monkeypatch.setattr(tuning, "STEPS", 4)
    tuned = tuning.lora(TINY, "cpu", 0.01, contender="ragtune", quantize=False)
    assert tuned["steps"] == 2
    # q_proj reads 128 and gives 128, v_proj 128 and 64; two layers, rank 8.
    assert tuned["trained"] == 2 * 8 * ((128 + 128) + (128 + 64))
    assert tuned["mfu"] is None  # no card
    padded = tuning.rows(TINY, "cpu", 0.01, segments=False)
    assert padded["tokens_a_second"] > 0
    answered = answering.ragtune(replace(TINY, prompt=8, answer=4), "cpu", 2)
    assert answered["decode_tokens_a_second"] > 0


def test_four_bits_leave_the_head_and_the_embedding_alone() -> None:
    plain = shapes.random_model(TINY, "cpu", "bfloat16")
    packed = shapes.in_nf4(shapes.random_model(TINY, "cpu", "bfloat16"))
    kinds = {name: type(m).__name__ for name, m in packed.named_modules() if "proj" in name}
    assert set(kinds.values()) == {"Linear4bit"}
    assert type(packed.lm_head) is torch.nn.Linear
    ids = torch.tensor([[5, 6, 7]])
    with torch.no_grad():
        near, exact = packed(ids).logits.float(), plain(ids).logits.float()
    assert torch.nn.functional.cosine_similarity(near, exact, dim=-1).min() > 0.9


def test_a_shapes_folder_is_one_of_a_known_family(tmp_path: Path) -> None:
    assert family_at(shapes.write_config(SHAPES["llama-3.1-8b"], tmp_path)).name == "llama"


def test_random_ids_end_nothing_and_rows_have_many_lengths() -> None:
    sizes = shapes.lengths(100, 1024)
    assert (min(sizes) >= 8, max(sizes) <= 1024, len(set(sizes)) > 50) == (True, True, True)
    for shape in SHAPES.values():
        (ids,) = shapes.random_ids(shape, [1000])
        ends = {shape.config["bos_token_id"], shape.config["eos_token_id"]}
        assert ends.isdisjoint(ids)
        assert max(ids) < shape.config["vocab_size"]


def test_the_tables_say_what_was_measured_and_what_was_not() -> None:
    lora = {"kind": "lora", "shape": "s", "blocks": 8, "quantize": False, "tflops": 450.0}
    lora |= {"peak_gib": 30.0, "notes": [], "mfu": 0.455}
    ours = {**lora, "name": "lora s: ragtune", "contender": "ragtune", "tokens_a_second": 90.0}
    theirs = {**lora, "name": "lora s: plain", "contender": "trl-plain", "tokens_a_second": 60.0}
    answers = {"kind": "answers", "shape": "s", "contender": "vllm", "batch": 32, "name": "a"}
    answers |= {"prefill_tokens_a_second": 9e4, "decode_tokens_a_second": 5e3, "ms_a_step": 6.4}
    gone = {"kind": "answers", "name": "answers s: vllm", "failed": "vllm is not installed"}
    lines = report(ENVIRONMENT, [ours, theirs, answers, gone]).splitlines()
    assert lines[0] == "H100, 2026-11-26; torch 2.13."
    assert "| s | bf16 | trl-plain | 8 | 60 | 450 | 45.5% | 30.00 | 1.50x |" in lines
    assert "| s | vllm | 32 | 90000 | 5000 | 6.40 |" in lines
    assert "- not measured: answers s: vllm: vllm is not installed" in lines


def test_pytorch_stays_the_one_that_is_installed() -> None:
    project = {"dependencies": ["torch>=2.13,<3", "peft>=0.21,<0.22"]}
    extras = {"bench": ["trl>=1.16,<2"], "dev": ["torchmetrics>=1"]}
    assert needed.requirements(project, extras) == [
        "peft>=0.21,<0.22",
        "trl>=1.16,<2",
        "torchmetrics>=1",
    ]
    pinned = ["torch==2.13.0", "triton==3.4", "nvidia-cublas==1", "peft==0.21.2"]
    assert needed.constraints(pinned, "2.9.1+cu128") == ["peft==0.21.2", "torch==2.9.1+cu128"]


def test_the_marked_tests_are_found_and_their_outcome_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Done:
        returncode, stdout, stderr = 0, "collected\n6 skipped in 2s\n", ""

    asked: list[str] = []

    def run(command: list[str], **_: object) -> type[Done]:
        asked.extend(command)
        return Done

    monkeypatch.setattr(subprocess, "run", run)
    assert parts.marked_tests() == {"said": "6 skipped in 2s"}
    assert any(one.endswith("tests/local/tuning/test_gpu.py") for one in asked)
    monkeypatch.setattr(Done, "returncode", 1)
    with pytest.raises(RuntimeError, match="6 skipped"):
        parts.marked_tests()
