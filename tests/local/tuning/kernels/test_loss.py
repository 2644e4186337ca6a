import pytest
import torch
from torch.nn.functional import cross_entropy

from ragtune.models.families.base import Head
from ragtune.tuning.kernels import loss


@pytest.mark.parametrize("chunk", [1, 3 * 50, 1 << 24])
def test_the_loss_and_its_gradient_are_cross_entropys_however_it_is_cut(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss, "CHUNK", chunk)
    torch.manual_seed(0)
    hidden = torch.randn(7, 8, requires_grad=True)
    head, targets = torch.randn(50, 8), torch.randint(50, (7,))
    expected = cross_entropy(hidden @ head.T, targets, reduction="sum")
    (gradient,) = torch.autograd.grad(expected / 3, hidden)
    found = loss.summed_loss(hidden, Head(head), targets)
    (found / 3).backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(hidden.grad, gradient)


def test_no_supervised_token_is_no_loss() -> None:
    targets = torch.zeros(0, dtype=torch.long)
    none = loss.summed_loss(torch.zeros(0, 8), Head(torch.zeros(5, 8)), targets)
    assert none.item() == 0.0


@pytest.mark.parametrize("chunk", [3 * 50, 1 << 24])
@pytest.mark.parametrize(("scale", "softcap"), [(0.25, None), (1.0, 2.0), (0.5, 3.0)])
def test_scale_and_soft_cap_are_in_the_loss_and_in_its_gradient(
    chunk: int, scale: float, softcap: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss, "CHUNK", chunk)
    torch.manual_seed(1)
    hidden = (3 * torch.randn(7, 8)).double().requires_grad_()
    weight, targets = torch.randn(50, 8).double(), torch.randint(50, (7,))
    logits = hidden @ weight.T * scale
    if softcap is not None:
        logits = softcap * torch.tanh(logits / softcap)
    expected = cross_entropy(logits, targets, reduction="sum")
    (gradient,) = torch.autograd.grad(expected, hidden)
    head = Head(weight, scale, softcap)
    torch.testing.assert_close(head.shape(hidden @ weight.T), logits)
    found = loss.summed_loss(hidden, head, targets)
    found.backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(hidden.grad, gradient, rtol=1e-4, atol=1e-5)


def test_a_head_that_is_trained_is_refused_as_it_would_get_no_gradient() -> None:
    weight = torch.zeros(5, 8, requires_grad=True)
    with pytest.raises(ValueError, match="the head is trained"):
        loss.summed_loss(torch.zeros(1, 8), Head(weight), torch.zeros(1, dtype=torch.long))
