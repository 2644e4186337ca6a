from pathlib import Path

import pytest
import torch
from transformers import LlamaForCausalLM

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
