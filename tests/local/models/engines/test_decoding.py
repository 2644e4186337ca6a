import random
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM

from ragtune.models.engines.decoding import Group, _draft, batches, decode

LIMIT = 12


@pytest.fixture(scope="module")
def model(tiny_llama: Path) -> Any:
    return LlamaForCausalLM.from_pretrained(tiny_llama).eval()


@pytest.fixture(scope="module")
def prompts() -> list[list[int]]:
    """Ragged ones, families that begin alike, two that are the same, and a text that repeats."""
    rng = random.Random(5)

    def some(count: int) -> list[int]:
        return [rng.randrange(3, 320) for _ in range(count)]

    stems = [some(30), some(17)]
    family = [stem + some(rng.randrange(1, 9)) for stem in stems for _ in range(4)]
    phrase = some(4)
    return [*(some(rng.randrange(1, 40)) for _ in range(7)), *family, family[0], phrase * 5]


def generated(model: Any, prompt: list[int], eos: int) -> list[int]:
    """What transformers' own greedy search writes after a prompt that it is given alone."""
    output = model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=LIMIT,
        do_sample=False,
        eos_token_id=eos,
        pad_token_id=2,
    )
    ids: list[int] = output[0, len(prompt) :].tolist()
    return ids[: ids.index(eos)] if eos in ids else ids


@pytest.mark.parametrize("size", [1, 3, 8, 64])
def test_the_text_is_that_of_plain_greedy_generate(
    model: Any, prompts: list[list[int]], size: int
) -> None:
    free = [generated(model, p, eos=-1) for p in prompts]
    ends = free[0][LIMIT // 2]  # an EOS that comes in the middle of some, in others never
    for eos in (1, ends):
        expected = [generated(model, p, eos) for p in prompts]
        assert eos == 1 or len({len(ids) for ids in expected}) > 1
        found: dict[int, list[int]] = {}
        for groups in batches(prompts, size):
            rows = decode(model, prompts, groups, limit=LIMIT, eos=eos).rows
            found |= dict(zip((n for g in groups for n in g.places), rows, strict=True))
        assert [found[n] for n in range(len(prompts))] == expected


def test_every_prompt_is_in_one_batch_and_none_is_too_large(prompts: list[list[int]]) -> None:
    for size in (1, 3, 8, 64):
        found = [[n for group in groups for n in group.places] for groups in batches(prompts, size)]
        assert sorted(n for places in found for n in places) == list(range(len(prompts)))
        assert max(map(len, found)) <= size


def test_what_prompts_share_is_a_stem_and_leaves_each_a_token(prompts: list[list[int]]) -> None:
    groups = [group for groups in batches(prompts, 64) for group in groups]
    for group in groups:
        assert len({tuple(prompts[n][: group.stem]) for n in group.places}) == 1
        assert all(group.stem < len(prompts[n]) for n in group.places)
    assert {30, 17} <= {group.stem for group in groups}


def test_nothing_is_grouped_where_nothing_is_shared() -> None:
    assert list(batches([[3, 4], [5, 6], [7]], 8)) == [
        [Group([0], 0), Group([1], 0), Group([2], 0)]
    ]
    assert list(batches([], 8)) == []


def test_a_shared_beginning_is_read_once_and_few_rows_take_fewer_steps(model: Any) -> None:
    read: list[tuple[int, int]] = []

    def watch(module: Any, given: Any, named: dict[str, Any]) -> None:
        read.append(tuple(named["input_ids"].shape))

    hook = model.register_forward_pre_hook(watch, with_kwargs=True)
    stem = list(range(3, 43))
    together = [[*stem, 50, 51], [*stem, 60], [*stem, 70]]
    (groups,) = batches(together, 8)
    decode(model, together, groups, limit=1, eos=1)
    assert read == [(1, 40), (3, 2)]
    read.clear()
    (written,) = decode(model, [stem], [Group([0], 0)], limit=LIMIT, eos=-1).rows
    again = [*stem, *written, *stem]
    read.clear()
    decode(model, [again], [Group([0], 0)], limit=LIMIT, eos=-1)
    hook.remove()
    assert any(width > 1 for _, width in read[1:])


def test_a_draft_is_what_followed_the_longest_end_that_stood_before() -> None:
    assert _draft([9, 5, 6, 7, 8, 1, 6, 4, 5, 6], 3) == [7, 8, 1]
    assert _draft([1, 2, 3], 3) == []
    assert _draft([4, 4], 0) == []
