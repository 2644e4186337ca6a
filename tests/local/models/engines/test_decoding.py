import itertools
import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaForCausalLM

from ragtune.models.engines.decoding import _draft, decode
from ragtune.models.engines.groups import Group, _grouped, batches
from ragtune.models.engines.masked import MaskedReader
from ragtune.prompts.base import common_prefix

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


def written(model: Any, prompts: Any, groups: Any, ends: set[int]) -> list[list[int]]:
    """The rows of a batch once nothing follows."""
    reader = partial(MaskedReader, model)
    *_, rows = decode(reader, prompts, groups, limit=LIMIT, ends=ends)
    return rows


def generated(model: Any, prompt: list[int], eos: int | list[int]) -> list[int]:
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
    ends = eos if isinstance(eos, list) else [eos]
    return ids[: next((n for n, token in enumerate(ids) if token in ends), None)]


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
            rows = written(model, prompts, groups, {eos})
            found |= dict(zip((n for g in groups for n in g.places), rows, strict=True))
        assert [found[n] for n in range(len(prompts))] == expected


def test_a_row_ends_at_the_first_of_several_end_tokens(
    model: Any, prompts: list[list[int]]
) -> None:
    free = [generated(model, p, eos=-1) for p in prompts]
    ends = sorted({free[0][LIMIT // 2], free[1][LIMIT // 3]})
    expected = [generated(model, p, ends) for p in prompts]
    assert min(map(len, expected)) < LIMIT
    for n, prompt in enumerate(prompts):
        assert written(model, [prompt], [Group([0], 0)], set(ends)) == [expected[n]]


def test_what_is_written_grows_from_step_to_step(model: Any, prompts: list[list[int]]) -> None:
    reader = partial(MaskedReader, model)
    steps = decode(reader, prompts[:1], [Group([0], 0)], limit=LIMIT, ends=set())
    lengths = [len(rows[0]) for rows in steps]
    assert lengths == sorted(set(lengths))
    assert (lengths[0], lengths[-1]) == (1, LIMIT)
    assert not torch.is_inference_mode_enabled()


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


def test_prompts_that_nest_thousands_deep_are_grouped() -> None:
    longest = [3 + n % 300 for n in range(3000)]
    prompts = [longest[: n + 1] for n in range(3000)]
    groups = [group for groups in batches(prompts, 64) for group in groups]
    assert sorted(n for group in groups for n in group.places) == list(range(3000))
    for group in groups:
        shortest = min(prompts[n] for n in group.places)
        assert group.stem < len(shortest)
        assert all(prompts[n][: group.stem] == shortest[: group.stem] for n in group.places)


def defined(prompts: list[list[int]], order: list[int]) -> tuple[int, list[Group]]:
    """Tokens saved, and the groups of sorted prompts: one, or cut where least is shared."""
    if len(order) == 1:
        return 0, [Group(order, 0)]
    shared = [
        min(common_prefix(prompts[a], prompts[b]), len(prompts[a]) - 1)
        for a, b in itertools.pairwise(order)
    ]
    stem = min(shared)
    cuts = [0, *(n for n, length in enumerate(shared, 1) if length == stem), len(order)]
    parts = [defined(prompts, order[a:b]) for a, b in itertools.pairwise(cuts)]
    apart, together = sum(saved for saved, _ in parts), stem * (len(order) - 1)
    if together > apart:
        return together, [Group(order, stem)]
    return apart, [group for _, groups in parts for group in groups]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.integers(3, 4), min_size=1, max_size=6), min_size=1, max_size=12))
def test_groups_are_those_of_the_recursive_definition(prompts: list[list[int]]) -> None:
    order = sorted(range(len(prompts)), key=lambda n: prompts[n])
    assert _grouped(prompts) == defined(prompts, order)[1]


def test_a_shared_beginning_is_read_once_and_few_rows_take_fewer_steps(model: Any) -> None:
    read: list[tuple[int, int]] = []

    def watch(module: Any, given: Any, named: dict[str, Any]) -> None:
        read.append(tuple(named["input_ids"].shape))

    hook = model.register_forward_pre_hook(watch, with_kwargs=True)
    stem = list(range(3, 43))
    together = [[*stem, 50, 51], [*stem, 60], [*stem, 70]]
    (groups,) = batches(together, 8)
    list(decode(partial(MaskedReader, model), together, groups, limit=1, ends={1}))
    assert read == [(1, 40), (3, 2)]
    read.clear()
    (answer,) = written(model, [stem], [Group([0], 0)], set())
    again = [*stem, *answer, *stem]
    read.clear()
    written(model, [again], [Group([0], 0)], set())
    hook.remove()
    assert any(width > 1 for _, width in read[1:])


def test_a_draft_is_what_followed_the_longest_end_that_stood_before() -> None:
    assert _draft([9, 5, 6, 7, 8, 1, 6, 4, 5, 6], 3, 3) == [7, 8, 1]
    assert _draft([1, 2, 3], 3, 3) == []
    assert _draft([4, 4], 0, 3) == []


def test_a_draft_is_shorter_where_only_the_last_token_stood_before() -> None:
    assert _draft([9, 5, 6, 7, 8, 1, 6, 4, 5, 6], 3, 1) == [7, 8, 1]
    assert _draft([9, 6, 7, 8, 1, 6], 3, 1) == [7]
