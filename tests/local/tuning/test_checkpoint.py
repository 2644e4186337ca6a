import torch

from ragtune.tuning.checkpoint import State


def test_what_is_named_is_put_back() -> None:
    kept = State(
        {"a.weight": torch.ones(2)},
        {"a.weight": torch.zeros(2)},
        {"step": torch.tensor(3.0), "exp_avg": torch.arange(2.0)},
    )
    found = State.of(kept.named())
    for one, other in zip(
        (kept.weights, kept.best, kept.adam), (found.weights, found.best, found.adam), strict=True
    ):
        assert one.keys() == other.keys()
        assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_moments_that_were_kept_weight_by_weight_are_joined_in_their_order() -> None:
    named = {"weights/a": torch.ones(2)}
    for number in range(11):
        named[f"adam/{number}/step"] = torch.tensor(4.0)
        named[f"adam/{number}/exp_avg"] = torch.full((1, 2), float(number))
    found = State.of(named).adam
    assert found["step"] == 4
    assert found["exp_avg"].tolist() == [float(n // 2) for n in range(22)]
