import pytest
import torch

from ragtune.tuning.kernels.dropout import FewerDrawsDropout


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5])
def test_the_share_asked_for_is_dropped_and_the_mean_stays(share: float) -> None:
    torch.manual_seed(3)
    given = torch.ones(1000, 333)
    found = FewerDrawsDropout(share)(given)
    assert (found == 0).float().mean().item() == pytest.approx(share, abs=0.003)
    assert found.mean().item() == pytest.approx(1.0, abs=0.004)
    assert len(found.unique()) == (1 if share == 0 else 2)


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(4)
    dropped = (FewerDrawsDropout(0.5)(torch.ones(400_001)) == 0).float()
    for distance in (1, 2, 3, 4):
        both = (dropped[:-distance] * dropped[distance:]).mean().item()
        assert both == pytest.approx(0.25, abs=0.005)


def test_the_seed_decides_and_gradients_follow_what_was_kept() -> None:
    given = torch.ones(5, 7, requires_grad=True)
    torch.manual_seed(5)
    first = FewerDrawsDropout(0.3)(given)
    torch.manual_seed(5)
    assert torch.equal(first, FewerDrawsDropout(0.3)(given))
    first.sum().backward()
    assert given.grad is not None
    assert torch.equal(given.grad, first.detach())


def test_nothing_is_dropped_in_evaluation_and_all_at_a_share_of_one() -> None:
    given = torch.ones(6)
    assert FewerDrawsDropout(0.9).eval()(given) is given
    assert FewerDrawsDropout(1.0)(given).count_nonzero() == 0
