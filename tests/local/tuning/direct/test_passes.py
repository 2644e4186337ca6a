"""Passes computed directly give the losses and gradients of transformers, PEFT and autograd."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ragtune.models.families.registry import family_of
from ragtune.models.folder import read_config
from ragtune.models.hardware import Hardware
from ragtune.models.load import load_base
from ragtune.prompts.base import IGNORED
from ragtune.recipe.tune import PROJECTIONS, Tune
from ragtune.tuning import lora
from ragtune.tuning.autograd import AutogradPasses
from ragtune.tuning.direct.passes import DirectPasses, knows
from ragtune.tuning.passes import Passes
from ragtune.tuning.samples import Sample
from tests.local.models.direct.test_decoder import KINDS, made

ALL = ",".join(PROJECTIONS)
TOKENS = 100
"""That the summed loss is divided by; any number would do."""


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """Tests that set PyTorch's threads leave them as they were."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def row(length: int, start: int, common: int = 5) -> Sample:
    own = [(start + 11 * n * n) % 200 + 3 for n in range(length - common)]
    ids = [1, 9, 8, 7, 6][:common] + own
    return Sample(ids, [IGNORED] * (length // 3) + ids[length // 3 :])


def rows() -> list[Sample]:
    """Rows that begin alike, one twice, one in two parts, one that is longer than a chunk."""
    packed = [row(9, 5), row(12, 77)]
    both = Sample(
        [i for s in packed for i in s.ids],
        [label for s in packed for label in s.labels],
        tuple(len(s.ids) for s in packed),
    )
    long = row(270, 31, common=2)
    return [row(21, 3), both, row(8, 3), row(33, 120), long, row(21, 3), row(130, 8)]


Making = Callable[..., tuple[Passes, lora.MasterWeights]]


@pytest.fixture
def passes(tmp_path: Path) -> Making:
    """A kind of model, with LoRA whose matrices are all at work, computed in one of the ways."""

    def make(
        kind: str,
        *,
        direct: bool = True,
        dtype: str = "float32",
        targets: str = ALL,
        **spec: Any,
    ) -> tuple[Passes, lora.MasterWeights]:
        folder = tmp_path / kind
        if not folder.is_dir():
            made(kind, folder)
        tune = Tune(target_modules=targets, **{"lora_dropout": 0.0, **spec})
        hardware = Hardware("cpu", "test", 1, dtype, dtype)
        config = read_config(folder)
        family = family_of(config)
        assert knows(config, tune, family, hardware, quantized=False)
        model = lora.with_lora(load_base(folder, hardware, training=True), tune, family)
        generator = torch.Generator().manual_seed(7)
        for _, parameter in sorted(model.named_parameters()):
            if parameter.requires_grad:
                drawn = torch.randn(parameter.shape, generator=generator) * 0.05
                parameter.data.copy_(drawn.bfloat16())
        weights = lora.MasterWeights(model)
        if direct:
            return DirectPasses(model, weights, family, config), weights
        return AutogradPasses(model, weights, family, "cpu"), weights

    return make


def gradient(
    of: tuple[Passes, lora.MasterWeights], samples: list[Sample], seed: int = 0
) -> tuple[float, torch.Tensor]:
    passes, weights = of
    weights.clear()
    loss = passes.gradients(samples, TOKENS, seed)
    passes.close()
    return loss, weights.gradient.clone()


def apart(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("kind", KINDS)
def test_losses_and_gradients_are_those_of_autograd(passes: Making, kind: str) -> None:
    old, new = passes(kind, direct=False), passes(kind)
    expected, slope = gradient(old, rows())
    found, direct = gradient(new, rows())
    assert found == pytest.approx(expected, rel=1e-6)
    assert apart(direct, slope) < 1e-5
    assert new[0].losses(rows(), 2) == pytest.approx(old[0].losses(rows(), 2), rel=1e-6)


@pytest.mark.parametrize("targets", ["q_proj,v_proj", "k_proj", "v_proj,gate_proj", "o_proj"])
@pytest.mark.parametrize("rank", [3, 64])
def test_any_projections_and_ranks_are_trained(passes: Making, targets: str, rank: int) -> None:
    how = {"targets": targets, "lora_r": rank, "local": {"rslora": rank == 3}}
    _, expected = gradient(passes("qwen2", direct=False, **how), rows())
    _, found = gradient(passes("qwen2", **how), rows())
    assert apart(found, expected) < 1e-5


@pytest.mark.parametrize("kind", ["llama", "qwen2", "qwen3"])
def test_in_bf16_they_are_no_further_from_fp32_than_autograds(passes: Making, kind: str) -> None:
    loss, exact = gradient(passes(kind, direct=False), rows())
    old, theirs = gradient(passes(kind, direct=False, dtype="bfloat16"), rows())
    new, mine = gradient(passes(kind, dtype="bfloat16"), rows())
    assert apart(mine, exact) < 1.2 * apart(theirs, exact)
    assert new == pytest.approx(loss, rel=max(2e-3, 2 * abs(old / loss - 1)))


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_threads_that_take_rows_each_change_nothing_but_rounding(
    passes: Making, count: int, dropout: float
) -> None:
    samples = [row(40 + n, 9 * n) for n in range(4)]
    torch.set_num_threads(1)
    loss, alone = gradient(passes("llama"), samples)
    torch.set_num_threads(count)
    shared = passes("llama", lora_dropout=dropout)
    found, together = gradient(shared, samples)
    assert torch.get_num_threads() == count
    if not dropout:
        assert found == pytest.approx(loss, rel=1e-6)
        assert apart(together, alone) < 1e-5
    again, once_more = gradient(shared, samples)
    assert again == found
    assert torch.equal(together, once_more)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_what_is_computed_twice_is_the_same_bitwise_and_keeps_less(
    passes: Making, dtype: str
) -> None:
    torch.set_num_threads(1)
    whole = passes("llama", dtype=dtype, lora_dropout=0.3)
    loss, expected = gradient(whole, rows(), seed=5)
    kept = whole[0].kept(row(400, 3))
    assert whole[0].kept(row(200, 3)) < 0.7 * kept
    assert whole[0].recompute()
    assert not whole[0].recompute()
    again, found = gradient(whole, rows(), seed=5)
    assert again == loss
    assert torch.equal(found, expected)
    assert whole[0].kept(row(400, 3)) < kept / 5


CONFIG = {
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 50,
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
}


@pytest.mark.parametrize(
    ("config", "local", "device", "quantized"),
    [
        ({}, {"dora": True}, "cpu", False),
        ({}, {}, "cuda", False),
        ({}, {}, "cpu", True),
        ({"hidden_act": "gelu"}, {}, "cpu", False),
        ({"model_type": "mistral", "sliding_window": 16}, {}, "cpu", False),
        ({"model_type": "olmo2"}, {}, "cpu", False),
    ],
)
def test_what_is_not_known_is_left_to_autograd(
    config: dict[str, Any], local: dict[str, Any], device: str, quantized: bool
) -> None:
    plain = Tune()
    cpu = Hardware("cpu", "test", 1, "float32", "float32")
    assert knows(CONFIG, plain, family_of(CONFIG), cpu, quantized=False)
    other = {**CONFIG, **config}
    on = Hardware(device, "test", 1, "float32", "float32")
    assert not knows(other, Tune.model_validate({"local": local}), family_of(other), on, quantized)
