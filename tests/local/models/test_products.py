"""Which precision and order a processor's products are taken in."""

import json
from pathlib import Path

import pytest
import torch

from ragtune.models import products
from ragtune.models.engines.packed import packed, product
from ragtune.models.hardware import probe
from ragtune.models.products import Products


def test_bf16_is_chosen_where_it_is_clearly_faster_each_in_its_better_order() -> None:
    mkl_is_better = Products(float32=1.0, float32_packed=2.0, bfloat16=0.9, bfloat16_packed=0.8)
    assert (mkl_is_better.dtype, mkl_is_better.ratio) == ("bfloat16", 1.25)
    assert not mkl_is_better.packs("float32")
    assert mkl_is_better.packs("bfloat16")
    assert Products(float32=1.0, float32_packed=0.9, bfloat16=0.8).dtype == "float32"
    emulated = Products(float32=1.0, bfloat16=9.0)
    assert (emulated.dtype, emulated.packs("float32")) == ("float32", False)


def test_the_measurement_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    taken = products.measured()
    (kept,) = (tmp_path / "ragtune").glob("products-*.json")
    assert Products(**json.loads(kept.read_text())) == taken
    kept.write_text(json.dumps({"float32": 2.0, "bfloat16": 1.0}))
    assert products.measured() == Products(2.0, 1.0)
    kept.write_text("[cut of")
    assert products.measured().float32 > 0
    assert torch.get_num_threads() >= 1


def test_a_cache_that_cannot_be_written_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ragtune").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert products.measured().ratio > 0


def test_what_was_measured_is_what_the_hardware_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "measured", lambda: Products(1.0, 0.5, 2.0, 0.4))
    found = probe()
    if found.device == "cpu":
        assert (found.train_dtype, found.load_dtype, found.packs) == ("bfloat16",) * 2 + (True,)
        assert found.bfloat16_speed == 2.5
        exact = probe("float32")
        assert (exact.train_dtype, exact.load_dtype, exact.packs) == ("bfloat16", "float32", False)


def test_a_product_is_the_same_with_a_packed_weight() -> None:
    weight, hidden, bias = torch.randn(12, 8), torch.randn(5, 8), torch.randn(12)
    expected = torch.nn.functional.linear(hidden, weight, bias)
    assert torch.equal(product(hidden, weight, bias), expected)
    if torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        torch.testing.assert_close(product(hidden, packed(weight), bias), expected)
