import pytest
import torch

from ragtune.models.engines.packed import PackedLinear, pack

TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 2e-2}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("rows", [1, 3, 17, 140])
@pytest.mark.parametrize("bias", [True, False])
def test_products_are_those_of_plain_linear_layers(
    rows: int, bias: bool, dtype: torch.dtype
) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(48, 96, bias=bias), torch.nn.Linear(96, 32))
    model.to(dtype)
    inputs = torch.randn(2, rows, 48, dtype=dtype)
    with torch.inference_mode():
        plain = model(inputs)
        pack(model)
        assert torch.allclose(model(inputs), plain, atol=TOLERANCE[dtype])


def test_layers_of_other_kinds_and_precisions_stay_as_they_are() -> None:
    class Other(torch.nn.Linear):
        pass

    model = torch.nn.ModuleList([torch.nn.Linear(8, 8), torch.nn.Linear(8, 8).half(), Other(8, 8)])
    pack(model)
    there = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    assert [type(layer) is PackedLinear for layer in model] == [there, False, False]


def test_weights_shared_with_an_embedding_stay_there_and_others_are_held_once() -> None:
    embedding, head = torch.nn.Embedding(16, 8), torch.nn.Linear(8, 16, bias=False)
    head.weight = embedding.weight
    model = torch.nn.ModuleList([embedding, head])
    pack(model)
    pack(model)
    assert embedding(torch.tensor([3])).shape == (1, 8)
    if torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        assert head.weight is None
