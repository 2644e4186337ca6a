"""Passes that are compiled give what PyTorch's operations give, rounded no worse."""

import pytest
import torch
from torch.nn import functional

from ragtune.tuning.direct import compiled, norm, rotary
from ragtune.tuning.direct.compiled import numbers

KINDS = [(torch.float32, 2e-7), (torch.bfloat16, 3e-3)]
TOKENS, WIDTH = 5, 37


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator).bfloat16()


def apart(found: torch.Tensor, exact: torch.Tensor) -> float:
    return float((found.double() - exact).norm() / exact.norm())


@pytest.mark.parametrize(("dtype", "near"), KINDS)
def test_gates_and_their_gradients(dtype: torch.dtype, near: float) -> None:
    products, upstream = drawn(TOKENS, 2 * WIDTH).to(dtype) * 4, drawn(TOKENS, WIDTH).to(dtype)
    products[0, :4] = torch.tensor([-200.0, 200.0, 0.0, -88.0])
    found, back = torch.empty_like(upstream), torch.empty_like(products)
    compiled.gate(numbers(products), numbers(found))
    compiled.gate_back(numbers(upstream), numbers(products), numbers(back))
    exact = products.double().requires_grad_()
    gate, up = exact.chunk(2, -1)
    whole = functional.silu(gate) * up
    torch.autograd.backward([whole], [upstream.double()])
    assert exact.grad is not None
    assert apart(found, whole.detach()) < near
    assert apart(back, exact.grad) < near


@pytest.mark.parametrize(("dtype", "near"), KINDS)
def test_norms_and_their_gradients_beside_what_is_there(dtype: torch.dtype, near: float) -> None:
    x, weight = drawn(TOKENS, WIDTH).to(dtype), drawn(WIDTH, seed=1).to(dtype)
    upstream, beside = (
        drawn(TOKENS, WIDTH, seed=2).to(dtype),
        drawn(TOKENS, WIDTH, seed=3).to(dtype),
    )
    found, factor = norm.forward(x, weight, 1e-5)
    exact = x.double().requires_grad_()
    whole = functional.rms_norm(exact, (WIDTH,), weight.double(), 1e-5)
    torch.autograd.backward([whole], [upstream.double()])
    assert exact.grad is not None
    assert apart(found, whole.detach()) < 2 * near
    assert apart(norm.backward(upstream, x, factor, weight), exact.grad) < near
    expected = exact.grad + beside.double()
    assert apart(norm.backward(upstream, x, factor, weight, beside), expected) < near


@pytest.mark.parametrize(("dtype", "near"), KINDS)
def test_heads_are_turned_and_turned_back(dtype: torch.dtype, near: float) -> None:
    shared, group, size = 2, 3, 8
    joined = drawn(TOKENS, shared * (group + 2), size).to(dtype)
    turns = drawn(TOKENS, size, seed=1).to(dtype), drawn(TOKENS, size, seed=2).to(dtype)
    queries, keys, values = rotary.forward(joined, joined, shared, turns)
    cos, sin = (turn.double()[:, None] for turn in turns)
    exact = joined.double().requires_grad_()
    turned = exact * cos + exact.roll(size // 2, -1) * sin
    count = shared * group
    own = turned[:, :count].reshape(TOKENS, shared, -1).transpose(0, 1).reshape(queries.shape)
    others = turned[:, count : count + shared].transpose(0, 1)
    assert apart(queries, own.detach()) < near
    assert apart(keys, others.detach()) < near
    assert torch.equal(values, joined[:, -shared:].transpose(0, 1))
    above = tuple(drawn(*t.shape).to(dtype) for t in (queries, keys, values))
    given = (own, others, exact[:, -shared:].transpose(0, 1))
    torch.autograd.backward(given, [slope.double() for slope in above])
    assert exact.grad is not None
    back = rotary.backward(above[0], above[1], above[2], turns)
    assert apart(back, exact.grad) < near


def test_what_is_no_number_stays_none() -> None:
    x = drawn(1, WIDTH)
    x[0, 3] = torch.nan
    found, _ = norm.forward(x, drawn(WIDTH), 1e-5)
    assert found.isnan().all()
    gated = torch.empty(1, 1, dtype=torch.bfloat16)
    compiled.gate(numbers(torch.tensor([[torch.nan, 1.0]]).bfloat16()), numbers(gated))
    assert gated.isnan().all()
