"""Joined projections with LoRA, against PEFT's layers and against autograd."""

from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model

from ragtune.tuning.direct.projection import JOINED, Projection


class Pair(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one = torch.nn.Linear(24, 10)
        self.other = torch.nn.Linear(24, 14)


def adapted(dropout: float, rank: int = 4) -> Any:
    torch.manual_seed(0)
    config = LoraConfig(r=rank, lora_alpha=8, lora_dropout=dropout, target_modules=["one", "other"])
    found = get_peft_model(Pair(), config)
    for name, parameter in found.named_parameters():
        if "lora" in name:
            parameter.data = torch.randn_like(parameter) * 0.3
    return found


def projection(dropout: float, rank: int = 4) -> Projection:
    pair = adapted(dropout, rank).base_model.model
    return Projection([pair.one, pair.other], packs=False)


@pytest.mark.parametrize("rank", [4, JOINED])
def test_what_is_joined_is_what_each_layer_gives(rank: int) -> None:
    x = torch.randn(6, 24)
    model = adapted(0.0, rank).base_model.model
    expected = torch.cat([model.one(x), model.other(x)], 1)
    found, _ = projection(0.0, rank).forward(x)
    torch.testing.assert_close(found, expected)


def test_the_matrices_of_peft_are_views_of_the_joined_ones() -> None:
    pair = adapted(0.0).base_model.model
    joined = Projection([pair.one, pair.other], packs=False)
    x = torch.randn(6, 24)
    before, _ = joined.forward(x)
    pair.other.lora_B["default"].weight.data.zero_()
    after, _ = joined.forward(x)
    assert torch.equal(before[:, :10], after[:, :10])
    assert not torch.equal(before[:, 10:], after[:, 10:])


@pytest.mark.parametrize("dropout", [0.25, 1.0])
def test_dropout_zeroes_inputs_of_each_projection_by_itself(dropout: float) -> None:
    joined, generator = projection(dropout), torch.Generator().manual_seed(3)
    x = torch.randn(400, 24)
    found, seen = joined.forward(x, generator)
    assert seen.kept is not None
    kept = 1 - dropout
    assert float(seen.kept.mean()) == pytest.approx(kept, abs=0.02)
    both = float((seen.kept[0] * seen.kept[1]).mean())
    assert both == pytest.approx(kept**2, abs=0.02)
    assert torch.isfinite(found).all()
    if dropout < 1:
        plain, _ = joined.forward(x)
        drawn = torch.stack([joined.forward(x, generator)[0] for _ in range(300)])
        assert (drawn.mean(0) - plain).norm() < 0.1 * (drawn[0] - plain).norm()


def test_the_gradients_with_dropout_are_autograds_with_what_was_drawn() -> None:
    joined, generator = projection(0.25), torch.Generator().manual_seed(3)
    x, upstream = torch.randn(9, 24), torch.randn(9, 24)
    found, seen = joined.forward(x, generator)
    slopes = joined.slopes()
    to_x = joined.backward(upstream, seen, slopes)
    assert seen.kept is not None
    pair = adapted(0.25).base_model.model
    x.requires_grad_()
    expected = torch.cat(
        [
            layer.base_layer(x)
            + layer.lora_B["default"](layer.lora_A["default"](x * kept / 0.75)) * 2
            for layer, kept in zip((pair.one, pair.other), seen.kept, strict=True)
        ],
        1,
    )
    torch.testing.assert_close(found, expected)
    sides = [
        side["default"].weight for p in (pair.one, pair.other) for side in (p.lora_A, p.lora_B)
    ]
    wanted = torch.autograd.grad(expected, [x, *sides], upstream)
    for mine, theirs in zip([to_x, *joined.views(slopes)], wanted, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)
