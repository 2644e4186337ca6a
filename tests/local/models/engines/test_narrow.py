"""Steps of an answer alone with weights in fp16: the same numbers but for the order of sums."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from ragtune.models.direct.decoder import Decoder
from ragtune.models.engines import direct
from ragtune.models.engines.direct import DirectEngine
from ragtune.models.engines.groups import Group
from ragtune.models.engines.narrow import Narrow, is_narrow_here
from ragtune.models.engines.opened import _decoder
from ragtune.models.engines.packed import packed, product
from ragtune.models.hardware import Hardware
from ragtune.models.products import Products

pytestmark = pytest.mark.skipif(not is_narrow_here(), reason="PyTorch without FBGEMM")
BFLOAT16 = Hardware("cpu", "test", 1, "bfloat16", "bfloat16", narrows=True)
PROMPT = [3, *range(20, 60)]


@pytest.fixture
def decoder(tiny_llama: Path) -> Decoder:
    found = _decoder(tiny_llama, BFLOAT16, None)
    assert found is not None
    return found


@pytest.fixture
def engine(decoder: Decoder, tiny_tokenizer: Any) -> DirectEngine:
    return DirectEngine(decoder, tiny_tokenizer, frozenset({1}), "f", narrows=True)


def logits(decoder: Decoder, tokens: int, *, alone: bool) -> torch.Tensor:
    """Of the last tokens after a prompt."""
    cache = decoder.cache(1)
    decoder.read([PROMPT], cache, alone=alone)
    hidden = decoder.read([list(range(70, 70 + tokens))], cache, alone=alone)
    return decoder.logits(hidden, alone=alone)


@pytest.mark.parametrize("rows", [1, 3, 4])
def test_a_product_is_that_of_bf16_but_for_its_last_bit(rows: int) -> None:
    torch.manual_seed(0)
    weight, bias = (torch.randn(shape).bfloat16() for shape in ((96, 64), (96,)))
    hidden = torch.randn(rows, 64).bfloat16()
    exact = hidden.double() @ weight.double().T + bias.double()
    for order in (weight, packed(weight)):
        found = product(hidden, Narrow(order, bias), None)
        assert found.dtype == torch.bfloat16
        torch.testing.assert_close(found.double(), exact, rtol=2**-8, atol=1e-5)


def test_a_weight_that_fp16_cannot_hold_stays_as_it_is(decoder: Decoder) -> None:
    with pytest.raises(OverflowError):
        Narrow(torch.full((4, 4), 1e6).bfloat16(), None)
    before = logits(decoder, 1, alone=True)
    decoder.layers[0].down = torch.full((32, 64), 1e6).bfloat16(), None
    decoder.narrow()
    assert decoder.narrowed is None
    assert before.isfinite().all()


@pytest.mark.parametrize("tokens", [1, 4])
def test_a_row_alone_has_the_same_logits(
    decoder: Decoder, tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = logits(decoder, tokens, alone=True)
    decoder.narrow()
    assert decoder.narrowed is not None
    taken: list[int] = []
    real = Narrow.__call__

    def counted(layer: Narrow, x: torch.Tensor) -> torch.Tensor:
        taken.append(len(x))
        return real(layer, x)

    monkeypatch.setattr(Narrow, "__call__", counted)
    after = logits(decoder, tokens, alone=True)
    assert taken == [tokens] * (4 * len(decoder.layers) + 1)
    torch.testing.assert_close(after, before, rtol=2**-5, atol=2**-5)


def test_batches_and_prompts_are_computed_as_before(decoder: Decoder) -> None:
    wide, batch = logits(decoder, 5, alone=True), logits(decoder, 1, alone=False)
    decoder.narrow()
    assert torch.equal(logits(decoder, 5, alone=True), wide)
    assert torch.equal(logits(decoder, 1, alone=False), batch)


def test_one_prompt_is_answered_so_and_several_are_not(
    engine: DirectEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.settle()
    assert engine.decoder.narrowed is not None
    told: list[bool] = []
    read = engine.decoder.read

    def seen(rows: Any, cache: Any, *, alone: bool) -> torch.Tensor:
        told.append(alone)
        return read(rows, cache, alone=alone)

    monkeypatch.setattr(engine.decoder, "read", seen)
    for _ in engine.decode([PROMPT], [Group([0], 0)], 6, frozenset()):
        pass
    assert told
    assert all(told)
    told.clear()
    prompts, ends = [PROMPT, PROMPT[:9]], frozenset({1})
    for _ in engine.decode(prompts, [Group([0], 0), Group([1], 0)], 6, ends):
        pass
    assert told
    assert not any(told)


def test_nothing_is_got_ready_where_it_is_not_faster_or_has_no_room(
    decoder: Decoder, tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    DirectEngine(decoder, tiny_tokenizer, frozenset({1}), "f").settle()
    assert decoder.narrowed is None
    monkeypatch.setattr(direct, "ROOM", 1 << 50)
    DirectEngine(decoder, tiny_tokenizer, frozenset({1}), "f", narrows=True).settle()
    assert decoder.narrowed is None


def test_what_was_measured_decides() -> None:
    assert Products(2.0, 1.0, row=1.2, row_narrow=1.0).narrows
    assert not Products(2.0, 1.0, row=1.1, row_narrow=1.0).narrows
    assert not Products(2.0, 1.0).narrows
    assert json.dumps(BFLOAT16.to_json())
