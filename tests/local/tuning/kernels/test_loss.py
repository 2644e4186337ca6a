import pytest
import torch
from torch.nn.functional import cross_entropy

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
    found = loss.summed_loss(hidden, head, targets)
    (found / 3).backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(hidden.grad, gradient)


def test_no_supervised_token_is_no_loss() -> None:
    none = loss.summed_loss(torch.zeros(0, 8), torch.zeros(5, 8), torch.zeros(0, dtype=torch.long))
    assert none.item() == 0.0
