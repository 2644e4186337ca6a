"""A compiled step gives what the decoder gives, but for the rounding of its weights."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from ragtune.models.direct.decoder import Decoder
from ragtune.models.direct.shape import Shape
from ragtune.models.direct.single import threads as threading
from ragtune.models.direct.single.arrays import MOST
from ragtune.models.direct.single.row import SingleRow
from ragtune.models.direct.weights import expected
from ragtune.models.engines.direct import DirectEngine
from ragtune.models.engines.groups import Group
from tests.local.models.direct.test_decoder import KINDS, PROMPTS, STRETCHED

PROMPT = PROMPTS[5]


def on_grid(weight: torch.Tensor) -> torch.Tensor:
    """The weight as 8 bits with scales that are powers of two, which rounding leaves as it is."""
    padded = torch.nn.functional.pad(weight, (0, -weight.shape[1] % 32))
    groups = padded.view(len(weight), -1, 32)
    step = 2.0 ** torch.ceil(torch.log2(groups.abs().amax(-1, keepdim=True) / 127))
    numbers = (groups / step).round()
    numbers[..., 0] = 127  # the largest, whatever it was
    return (numbers * step).view(padded.shape)[:, : weight.shape[1]].contiguous()


def decoder_of(kind: str, dtype: torch.dtype = torch.float32, **sizes: Any) -> Decoder:
    """A decoder of random weights on the grid."""
    shape = shape_of(kind, **sizes)
    make = torch.Generator().manual_seed(5)
    tensors = {}
    for name, size in expected(shape).items():
        drawn = 0.3 * torch.randn(size, generator=make)
        tensors[name] = (on_grid(drawn) if len(size) == 2 else (drawn + 1).bfloat16()).to(dtype)
    return Decoder(shape, tensors)


def shape_of(kind: str, **sizes: Any) -> Shape:
    name, own = KINDS[kind]
    config = {
        "model_type": name,
        "vocab_size": 211,
        "hidden_size": 48,
        "intermediate_size": 80,
        "num_hidden_layers": 2,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        **own,
        **sizes,
    }
    shape = Shape.of(config)
    assert shape is not None
    return shape


def compared(decoder: Decoder, single: SingleRow, parts: list[list[int]]) -> None:
    """After a prompt both read the same parts, and say the same."""
    own, other = decoder.cache(1), decoder.cache(1)
    decoder.read([PROMPT], own)
    decoder.read([PROMPT], other)
    for part in parts:
        found = single.read(part, own)
        wanted = decoder.logits(decoder.read([part], other))
        logits = torch.from_numpy(single.logits[: len(part)])
        torch.testing.assert_close(logits, wanted.float(), rtol=2e-3, atol=2e-3)
        assert found == logits.argmax(-1).tolist()
    assert own.lengths == other.lengths
    end = own.lengths[0]
    for layer in range(decoder.shape.layers):
        for mine, theirs in ((own.keys, other.keys), (own.values, other.values)):
            torch.testing.assert_close(
                mine[layer][:, :, :end], theirs[layer][:, :, :end], rtol=1e-3, atol=1e-3
            )


@pytest.mark.parametrize("kind", KINDS)
def test_logits_and_cache_are_the_decoders(kind: str) -> None:
    decoder = decoder_of(kind)
    compared(decoder, SingleRow(decoder), [[7], [8, 9], [3, 4, 5], [9] * 5, [10] * MOST, [2]])


@pytest.mark.parametrize(
    "sizes",
    [
        {"hidden_size": 50, "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 2},
        {"hidden_size": 33, "intermediate_size": 7, "head_dim": 20, "num_hidden_layers": 1},
        {"head_dim": 80, "num_attention_heads": 15, "num_key_value_heads": 3},
        {"vocab_size": 3, "head_dim": 64},
    ],
)
def test_any_size_is_taken(sizes: dict[str, Any]) -> None:
    decoder = decoder_of("llama", **sizes)
    parts = [
        [token % decoder.shape.vocabulary for token in part] for part in ([7], [1, 9], [4] * 7)
    ]
    own, other = decoder.cache(1), decoder.cache(1)
    single = SingleRow(decoder)
    for part in parts:
        single.read(part, own)
        wanted = decoder.logits(decoder.read([part], other))
        found = torch.from_numpy(single.logits[: len(part)])
        torch.testing.assert_close(found, wanted, rtol=2e-3, atol=2e-3)


def test_in_bf16_keys_and_values_are_rounded_as_pytorch_does() -> None:
    decoder = decoder_of("llama", torch.bfloat16)
    exact = decoder_of("llama")
    own, other = decoder.cache(1), exact.cache(1)
    single = SingleRow(decoder)
    for part in ([5], [6, 7], [8] * 4):
        single.read(part, own)
        wanted = exact.logits(exact.read([part], other))
        found = torch.from_numpy(single.logits[: len(part)])
        torch.testing.assert_close(found, wanted, rtol=3e-2, atol=3e-2)
    for mine, theirs in ((own.keys, other.keys), (own.values, other.values)):
        kept, rounded = mine[0][:, :, :7], theirs[0][:, :, :7].bfloat16()
        assert kept.dtype == torch.bfloat16
        assert (kept == rounded).float().mean() > 0.98  # of the rest the sums were in other order


def test_drafts_change_nothing() -> None:
    """However many tokens are read at once, the numbers are the same to the last bit."""
    decoder = decoder_of("qwen3", torch.bfloat16)
    single = SingleRow(decoder)
    text = [(7 * n) % 200 + 3 for n in range(24)]
    found = []
    for size in (1, 2, 3, 4, 8):
        cache, rows = decoder.cache(1), []
        decoder.read([PROMPT], cache)
        for at in range(0, len(text), size):
            single.read(text[at : at + size], cache)
            rows.append(torch.from_numpy(single.logits[:size].copy()))
        found.append(torch.cat(rows))
    assert all(torch.equal(found[0], other) for other in found[1:])


def test_rotary_tables_and_scores_grow_with_the_text() -> None:
    decoder = decoder_of("llama 3.1")
    assert decoder.shape.rotary.original == STRETCHED["original_max_position_embeddings"]
    single = SingleRow(decoder)
    own, other = decoder.cache(1), decoder.cache(1)
    prompt = [(13 * n) % 200 + 3 for n in range(1021)]
    for cache in (own, other):
        decoder.read([prompt], cache)
    for part in ([3], [4, 5, 6, 7], [8], [9] * 8):
        single.read(part, own)
        wanted = decoder.logits(decoder.read([part], other))
        found = torch.from_numpy(single.logits[: len(part)])
        torch.testing.assert_close(found, wanted, rtol=2e-3, atol=2e-3)


def test_what_is_forgotten_is_written_over() -> None:
    decoder = decoder_of("llama")
    single = SingleRow(decoder)
    own, other = decoder.cache(1), decoder.cache(1)
    for cache in (own, other):
        decoder.read([PROMPT], cache)
    single.read([5, 6, 7, 8], own)
    own.forget(0, 3)
    decoder.read([[5]], other)
    single.read([9], own)
    wanted = decoder.logits(decoder.read([[9]], other))
    found = torch.from_numpy(single.logits[:1])
    torch.testing.assert_close(found, wanted, rtol=2e-3, atol=2e-3)


def test_threads_share_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them than there is work for some."""
    decoder = decoder_of("qwen3")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    compared(decoder, SingleRow(decoder), [[7], [8, 9], [3] * MOST])


def test_a_thread_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = decoder_of("llama")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    single = SingleRow(decoder)
    real = single._step
    monkeypatch.setattr(
        single, "_step", lambda thread, *rest: real(thread, *rest) if thread else 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        single.read([5], decoder.cache(1))
    monkeypatch.setattr(single, "_step", real)
    compared(decoder, single, [[7]])
    threading.threads.cache_clear()


def test_two_who_ask_at_once_are_answered_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    engines = [engine_of(decoder_of(kind, torch.bfloat16)) for kind in ("llama", "qwen2")]
    asked = [(engine, prompt) for prompt in PROMPTS for engine in engines]
    alone = [answer(*each) for each in asked]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda each: answer(*each), asked)) == alone


def engine_of(decoder: Decoder) -> DirectEngine:
    engine = DirectEngine(decoder, None, frozenset({2}), "", int8=True)
    engine.settle()
    assert engine.single is not None
    return engine


def answer(engine: DirectEngine, prompt: list[int]) -> list[int]:
    *_, (row,) = engine.decode([prompt], [Group([0], 0)], 20, frozenset({2}))
    return list(row)


def test_an_answer_is_the_decoders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prompts read by the decoder, then single tokens and drafts."""
    decoder = decoder_of("llama")
    plain = DirectEngine(decoder, None, frozenset({2}), "")
    settled = engine_of(decoder)
    read: list[int] = []
    real = SingleRow.read

    def seen(single: SingleRow, ids: list[int], cache: Any) -> list[int]:
        read.append(len(ids))
        return real(single, ids, cache)

    monkeypatch.setattr(SingleRow, "read", seen)
    for prompt in [*PROMPTS, [5, 6, 7, 8] * 6]:
        assert answer(settled, prompt) == answer(plain, prompt)
    assert min(read) == 1
    assert max(read) > 1


def test_a_batch_is_computed_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of(decoder_of("llama"))
    monkeypatch.setattr(SingleRow, "read", None)
    groups = [Group([0], 0), Group([1], 0)]
    *_, rows = engine.decode(PROMPTS[:2], groups, 5, frozenset({2}))
    assert all(rows)
