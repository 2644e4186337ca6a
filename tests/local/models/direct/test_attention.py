"""In bf16 a row has the same bits alone, among others, and cut into parts."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from ragtune.models.direct.decoder import Decoder
from ragtune.models.engines.packed import packed, product
from tests.local.models.direct.test_decoder import KINDS, direct, made

LENGTHS = [5, 200, 17, 1, 66, 130]
LONG = [1100, 1300]
"""Of more than 1,024 tokens: there a product may sum in other parts."""


def row(length: int) -> list[int]:
    return [1, *((7 * n + 13 * length) % 200 + 3 for n in range(length - 1))]


@cache
def rows_keep_their_bits() -> bool:
    """Whether a bf16 product of this processor gives a row the same bits among any others."""
    torch.manual_seed(1)
    weight, rows = torch.randn(96, 1536).bfloat16(), torch.randn(64, 1536).bfloat16()
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False
    ready = packed(weight)
    whole = product(rows, ready, None)
    parts = [
        torch.cat([product(r, ready, None) for r in torch.split(rows, n)]) for n in (2, 3, 8, 17)
    ]
    return all(torch.equal(part, whole) for part in parts)


@pytest.fixture
def decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Decoder:
    if not rows_keep_their_bits():
        pytest.skip("bf16 products of this processor depend on the rows beside a row")
    own: dict[str, Any] = {"max_position_embeddings": 2048, "hidden_size": 96}
    monkeypatch.setitem(KINDS, "longer", ("llama", own))
    made("longer", tmp_path)
    return direct(tmp_path, torch.bfloat16)


def hidden(decoder: Decoder, rows: list[list[int]], cuts: list[int]) -> list[torch.Tensor]:
    """The hidden states of each row, read in two parts that are cut at ``cuts``."""
    held = decoder.cache(len(rows))
    parts = []
    for texts in (
        [r[:cut] for r, cut in zip(rows, cuts, strict=True)],
        [r[cut:] for r, cut in zip(rows, cuts, strict=True)],
    ):
        parts.append(torch.split(decoder.read(texts, held), [len(text) for text in texts]))
    return [torch.cat(both) for both in zip(*parts, strict=True)]


@pytest.mark.parametrize("lengths", [LENGTHS, LONG])
def test_a_row_is_the_same_alone_among_others_and_cut_in_two(
    decoder: Decoder, lengths: list[int]
) -> None:
    rows = [row(length) for length in lengths if length > 1]
    alone = [decoder.read([one]) for one in rows]
    beside = torch.split(decoder.read(rows), [len(one) for one in rows])
    kept = torch.split(decoder.read(rows, decoder.cache(len(rows))), [len(one) for one in rows])
    cut = hidden(decoder, rows, [len(one) // 2 for one in rows])
    by_few = hidden(decoder, rows, [len(one) - 1 - n % 3 for n, one in enumerate(rows)])
    for expected, *others in zip(alone, beside, kept, cut, by_few, strict=True):
        assert all(torch.equal(one, expected) for one in others)


def test_a_token_alone_is_the_same_as_in_a_draft(decoder: Decoder) -> None:
    text, draft = row(90), [7, 8, 9, 7, 8]
    held = decoder.cache(1)
    decoder.read([text], held)
    together = decoder.read([draft], held)
    held = decoder.cache(1)
    decoder.read([text], held)
    single = torch.cat([decoder.read([[token]], held) for token in draft])
    assert torch.equal(single, together)


def test_one_row_is_summed_as_among_others() -> None:
    """Of 1,536 terms oneDNN sums those of one row alone in other parts."""
    if not rows_keep_their_bits():
        pytest.skip("bf16 products of this processor depend on the rows beside a row")
    torch.manual_seed(2)
    weight, rows = packed(torch.randn(576, 1536).bfloat16()), torch.randn(512, 1536).bfloat16()
    single = torch.cat([product(one, weight, None) for one in torch.split(rows, 1)])
    assert torch.equal(single, product(rows, weight, None))
