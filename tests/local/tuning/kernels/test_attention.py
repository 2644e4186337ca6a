from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM

from ragtune.core.errors import ModelError
from ragtune.tuning.batches import collate
from ragtune.tuning.kernels import attention
from ragtune.tuning.samples import Sample

ROWS = [[0, 5, 6, 9, 11], [0, 7], [0, 200, 3, 40]]


@pytest.mark.parametrize("rows", [ROWS, [r[:2] for r in ROWS]], ids=["uneven", "even"])
def test_rows_side_by_side_give_each_rows_logits_alone(
    tiny_llama: Path, rows: list[list[int]]
) -> None:
    model = LlamaForCausalLM.from_pretrained(tiny_llama).eval()
    with torch.no_grad():
        alone = torch.cat([model(input_ids=torch.tensor([row])).logits[0] for row in rows])
        attention.use(model)
        batch = collate([Sample(row, row) for row in rows])
        together = model(
            input_ids=batch.ids,
            position_ids=batch.positions,
            segments=batch.segments,
            use_cache=False,
        ).logits[0]
        mixed = model(
            input_ids=batch.ids, position_ids=batch.positions, segments=(len(alone),)
        ).logits[0]
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    assert (mixed - alone).abs().max() > 1e-3


@pytest.mark.parametrize("length", [1, 255, 256, 257, 600])
def test_chunks_of_queries_see_what_the_fused_kernel_sees(length: int) -> None:
    torch.manual_seed(0)
    query = torch.randn(1, 4, length, 8, dtype=torch.bfloat16)
    key, value = torch.randn(2, 1, 2, length, 8, dtype=torch.bfloat16)
    found, _ = attention.attend(None, query, key, value, None, segments=(length,), scaling=0.3)
    expected, _ = attention.attend(
        None, query.float(), key.float(), value.float(), None, segments=(length,), scaling=0.3
    )
    torch.testing.assert_close(found.float(), expected, atol=0.03, rtol=0.03)
    first = attention.attend(
        None,
        query[:, :, :1],
        key[:, :, :1],
        value[:, :, :1],
        None,
        segments=(1,),
        scaling=0.3,
    )[0]
    torch.testing.assert_close(found[:, :1], first)


def heads(length: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    key, value = torch.randn(2, 1, 2, length, 8)
    return torch.randn(1, 4, length, 8), key, value


@pytest.mark.parametrize(("window", "softcap"), [(3, None), (None, 1.5), (3, 1.5), (50, None)])
def test_windows_and_soft_caps_are_those_of_eager_attention(
    window: int | None, softcap: float | None
) -> None:
    from transformers.models.gemma2.modeling_gemma2 import eager_attention_forward

    query, key, value = heads(12)
    segments, found = (7, 5), []
    pieces = [torch.split(t, list(segments), dim=2) for t in (query, key, value)]
    for q, k, v in zip(*pieces, strict=True):
        seen = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool).tril()
        seen = seen if window is None else seen.triu(1 - window)
        mask = torch.zeros(seen.shape).masked_fill(~seen, float("-inf"))[None, None]
        module = SimpleNamespace(num_key_value_groups=2, training=False)
        options: dict[str, Any] = {"scaling": 0.3, "softcap": softcap}
        found.append(eager_attention_forward(module, q, k, v, mask, **options)[0])
    given, _ = attention.attend(
        None,
        query,
        key,
        value,
        None,
        segments=segments,
        scaling=0.3,
        sliding_window=window,
        softcap=softcap,
    )
    torch.testing.assert_close(given, torch.cat(found, dim=1), atol=1e-6, rtol=1e-5)


def test_what_attention_by_segments_does_not_know_is_refused_and_not_left_out() -> None:
    query, key, value = heads(4)

    def attend(**options: Any) -> Any:
        given = {"segments": (4,), "scaling": 0.3, **options}
        module, mask = given.pop("module", None), given.pop("mask", None)
        return attention.attend(module, query, key, value, mask, **given)

    attend(position_ids=torch.arange(4), use_cache=False, s_aux=None)
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("does not know s_aux: the model", {"s_aux": torch.zeros(4)}),
        ("does not know attention_mask", {"mask": torch.zeros(4, 4)}),
        ("does not know is_causal=False", {"module": SimpleNamespace(is_causal=False)}),
        ("does not hand segments on to its attention", {"segments": ()}),
    ]
    for message, options in wrong:
        with pytest.raises(ModelError, match=message):
            attend(**options)


def test_attention_dropout_that_a_configuration_asks_for_is_applied() -> None:
    query, key, value = heads(64)
    whole, _ = attention.attend(None, query, key, value, None, segments=(64,), scaling=0.3)
    torch.manual_seed(1)
    dropped = torch.stack(
        [
            attention.attend(
                None, query, key, value, None, segments=(64,), scaling=0.3, dropout=0.2
            )[0]
            for _ in range(400)
        ]
    )
    assert (dropped[0] - whole).abs().max() > 0.1
    assert (dropped.mean(0) - whole).abs().max() < 0.3
