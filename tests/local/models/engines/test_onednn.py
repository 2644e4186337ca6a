import pytest
import torch

from ragtune.models.engines.onednn import OneDnnLinear, through_onednn


@pytest.mark.parametrize("rows", [1, 3, 17, 140])
@pytest.mark.parametrize("bias", [True, False])
def test_products_are_those_of_plain_linear_layers(rows: int, bias: bool) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(48, 96, bias=bias), torch.nn.Linear(96, 32))
    inputs = torch.randn(2, rows, 48)
    with torch.inference_mode():
        plain = model(inputs)
        through_onednn(model)
        assert torch.allclose(model(inputs), plain, atol=1e-5)


def test_only_fp32_layers_change_and_gradients_still_flow() -> None:
    model = torch.nn.ModuleList([torch.nn.Linear(8, 8), torch.nn.Linear(8, 8).bfloat16()])
    through_onednn(model)
    there = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    assert [type(layer) is OneDnnLinear for layer in model] == [there, False]
    model[0](torch.randn(9, 8)).sum().backward()
    assert model[0].weight.grad is not None
