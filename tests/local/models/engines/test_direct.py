"""What a model that stays to be asked gets ready, and where it does not."""

from pathlib import Path
from typing import Any

import pytest

from ragtune.models import products
from ragtune.models.direct.decoder import Decoder
from ragtune.models.engines import direct
from ragtune.models.engines.direct import DirectEngine
from ragtune.models.engines.groups import Group
from ragtune.models.engines.opened import open_engine
from ragtune.models.hardware import Hardware, probe
from ragtune.models.products import Products
from tests.local.models.direct.single.test_row import decoder_of


@pytest.fixture
def decoder() -> Decoder:
    return decoder_of("llama")


def test_nothing_is_got_ready_where_it_is_not_wanted_or_has_no_room(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = DirectEngine(decoder, None, frozenset({1}), "f")
    engine.settle()
    assert engine.single is None
    monkeypatch.setattr(direct, "ROOM", 1 << 50)
    engine = DirectEngine(decoder, None, frozenset({1}), "f", int8=True)
    engine.settle()
    assert engine.single is None


def test_it_is_got_ready_once(decoder: Decoder) -> None:
    engine = DirectEngine(decoder, None, frozenset({1}), "f", int8=True)
    engine.settle()
    first = engine.single
    engine.settle()
    assert engine.single is first is not None


@pytest.mark.parametrize(
    ("precision", "expected"), [("auto", True), ("bfloat16", True), ("float32", False)]
)
def test_weights_are_rounded_but_where_fp32_is_asked_for(
    precision: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "measured", lambda: Products(1.0, 0.5))
    found = probe(precision)
    if found.device == "cpu":
        assert found.int8 is expected
        assert found.to_json()["int8"] is expected


@pytest.mark.parametrize("int8", [True, False])
def test_what_the_machine_says_reaches_the_engine(
    int8: bool, tiny_llama: Path, tiny_tokenizer: Any
) -> None:
    hardware = Hardware("cpu", "test", 1, "bfloat16", "bfloat16", int8=int8)
    engine = open_engine(tiny_llama, tiny_tokenizer, hardware, lambda: "f")
    engine.settle()
    assert isinstance(engine, DirectEngine)
    assert (engine.single is not None) is int8


def test_where_it_cannot_be_got_ready_the_model_answers_as_it_is(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(decoder: Decoder) -> None:
        raise NotImplementedError("no compiler")

    monkeypatch.setattr("ragtune.models.direct.single.row.SingleRow", lacking)
    engine = DirectEngine(decoder, None, frozenset({1}), "f", int8=True)
    engine.settle()
    assert engine.single is None
    *_, (row,) = engine.decode([[1, 5, 6]], [Group([0], 0)], 4, frozenset())
    assert len(row) == 4
