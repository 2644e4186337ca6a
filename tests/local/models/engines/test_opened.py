"""The engine that a folder's model is opened with."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model

from ragtune.models.engines.direct import DirectEngine
from ragtune.models.engines.opened import open_engine
from ragtune.models.engines.torch import TorchEngine
from ragtune.models.families import registry
from ragtune.models.families.llama import Llama
from ragtune.models.hardware import Hardware
from ragtune.models.load import load_base
from ragtune.prompts.base import IGNORED, Prompt, Row

CPU = Hardware("cpu", "cpu", 1, "float32", "float32")


def adapted(base: Path, folder: Path, **settings: Any) -> Path:
    """An adapter whose weights are random, as ragtune saves one."""
    torch.manual_seed(4)
    config = LoraConfig(r=4, lora_alpha=16, target_modules=["q_proj", "down_proj"], **settings)
    model = get_peft_model(load_base(base, CPU, training=True), config)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = 0.3 * torch.randn_like(parameter)
    model.save_pretrained(folder)
    (folder / "ragtune.json").write_text(json.dumps({"template_hash": "a" * 64}))
    return folder


def test_a_llama_on_a_cpu_is_computed_directly(tiny_llama: Path, tiny_tokenizer: Any) -> None:
    engine = open_engine(tiny_llama, tiny_tokenizer, CPU, lambda: "x")
    assert isinstance(engine, DirectEngine)
    theirs = TorchEngine(load_base(tiny_llama, CPU), tiny_tokenizer, Llama(), "x")
    assert (engine.ends, engine.context_length) == (theirs.ends, theirs.context_length)
    prompts = [Prompt([0, *range(5, 5 + n)], "") for n in (4, 30, 11)]
    ours = engine.complete(prompts, limit=9, batch_size=2)
    assert [c.ids for c in ours] == [c.ids for c in theirs.complete(prompts, limit=9)]
    rows = [Row(p.ids, [IGNORED, *p.ids[1:]], False, False) for p in prompts]
    assert engine.loss(rows).mean == pytest.approx(theirs.loss(rows).mean, rel=1e-5)
    assert engine.loss(rows).tokens == theirs.loss(rows).tokens


@pytest.mark.parametrize("settings", [{}, {"use_rslora": True}])
def test_an_adapter_is_merged_as_peft_merges_it(
    tiny_llama: Path, tiny_tokenizer: Any, tmp_path: Path, settings: dict[str, Any]
) -> None:
    adapter = adapted(tiny_llama, tmp_path / "adapter", **settings)
    engine = open_engine(tiny_llama, tiny_tokenizer, CPU, lambda: "x", (adapter, "a" * 64))
    assert isinstance(engine, DirectEngine)
    merged = PeftModel.from_pretrained(load_base(tiny_llama, CPU), str(adapter)).merge_and_unload()
    row = [0, *range(9, 40)]
    found = engine.decoder.logits(engine.decoder.read([row]))
    with torch.no_grad():
        expected = merged(torch.tensor([row])).logits[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("settings", [{"use_dora": True}, {"rank_pattern": {"q_proj": 2}}])
def test_an_adapter_of_another_kind_is_left_to_peft(
    tiny_llama: Path, tiny_tokenizer: Any, tmp_path: Path, settings: dict[str, Any]
) -> None:
    adapter = adapted(tiny_llama, tmp_path / "adapter", **settings)
    engine = open_engine(tiny_llama, tiny_tokenizer, CPU, lambda: "x", (adapter, "a" * 64))
    assert isinstance(engine, TorchEngine)


def test_a_family_of_ones_own_is_asked_for_its_model(
    tiny_llama: Path, tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mine(Llama):
        direct = False

    monkeypatch.setattr("ragtune.models.engines.opened.family_at", lambda folder: Mine())
    assert isinstance(open_engine(tiny_llama, tiny_tokenizer, CPU, lambda: "x"), TorchEngine)
    assert registry.family_of({"model_type": "llama"}).direct


def test_losses_of_rows_that_begin_alike_are_those_of_each_alone(
    tiny_llama: Path, tiny_tokenizer: Any
) -> None:
    engine = open_engine(tiny_llama, tiny_tokenizer, CPU, lambda: "x")
    prompts = [[1, *range(10, 40)], [1, *range(10, 40)], [1, 9, 8], [1, *range(10, 30), 5]]
    ends = [[7, 8], [7, 9, 12, 13, 14, 15, 16, 17, 18, 19], [5], [6, 6, 6]]
    rows = [
        Row([*prompt, *end], [IGNORED] * len(prompt) + end)
        for prompt, end in zip(prompts, ends, strict=True)
    ]
    alone = [engine.loss([row]) for row in rows]
    together = engine.losses(rows, batch_size=4)
    assert [one.tokens for one in together] == [one.tokens for one in alone]
    assert [one.nats for one in together] == pytest.approx([one.nats for one in alone], rel=1e-4)


def test_a_loss_over_many_rows_is_that_of_transformers_and_reads_common_beginnings_once(
    tiny_llama: Path, tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(tiny_llama, tiny_tokenizer, CPU, lambda: "x")
    assert isinstance(engine, DirectEngine)
    prompts = [[1, *range(10, 40), n] for n in range(50, 56)] + [[1, 8, n] for n in range(6)]
    ends = [[7, *range(3, 5 + n % 4)] for n in range(len(prompts))]
    rows = [
        Row([*prompt, *end], [IGNORED] * len(prompt) + end)
        for prompt, end in zip(prompts, ends, strict=True)
    ]
    rows += [Row([5, 6, 7], [5, 6, 7]), Row([5, 6], [IGNORED, IGNORED])]
    read: list[int] = []
    plain = engine.decoder.read

    def counted(rows: Any, *args: Any, **kwargs: Any) -> Any:
        read.append(sum(map(len, rows)))
        return plain(rows, *args, **kwargs)

    monkeypatch.setattr(engine.decoder, "read", counted)
    monkeypatch.setattr("ragtune.models.engines.direct.HEAD", 5)
    monkeypatch.setattr("ragtune.models.engines.direct.CACHED", 2)
    told: list[tuple[int, int]] = []
    found = engine.loss(rows, batch_size=7, advance=lambda done, total: told.append((done, total)))
    base = TorchEngine(load_base(tiny_llama, CPU), tiny_tokenizer, Llama(), "")
    expected = base.loss(rows, batch_size=7)
    assert found.tokens == expected.tokens
    assert found.nats == pytest.approx(expected.nats, rel=1e-5)
    assert sum(read) <= sum(len(row.ids) for row in rows) - 5 * 31
    assert told[-1] == (len(rows), len(rows))
    assert [done for done, _ in told] == sorted({done for done, _ in told})
