from pathlib import Path
from typing import Any

import pytest
import torch

from ragtune.models.engines.torch import Generator
from ragtune.models.hardware import probe
from ragtune.models.load import load_base


@pytest.fixture(scope="module")
def generator(tiny_llama: Path, tiny_tokenizer: Any) -> Generator:
    return Generator(load_base(tiny_llama, probe()), tiny_tokenizer, max_new_tokens=8)


PROMPTS = [[0, 5, 6, 7], [0, 9], [0, 11, 12, 13, 14, 15, 16], [0, 30, 31]]


def greedy(model: Any, ids: list[int], steps: int, eos: int) -> list[int]:
    """Plain greedy decoding, the whole sequence anew at each step."""
    written: list[int] = []
    for _ in range(steps):
        with torch.no_grad():
            logits = model(torch.tensor([ids + written])).logits[0, -1]
        token = int(logits.argmax())
        if token == eos:
            break
        written.append(token)
    return written


def test_batched_and_single_answers_are_plain_greedy_decoding(generator: Generator) -> None:
    expected = [greedy(generator.model, p, 8, generator.tokenizer.eos_token_id) for p in PROMPTS]
    assert [c.ids for c in generator.many(PROMPTS, batch_size=3)] == expected
    assert [generator.one(p).ids for p in PROMPTS] == expected


def test_progress_reaches_the_end_and_time_is_shared(generator: Generator) -> None:
    seen: list[tuple[int, int]] = []
    completions = generator.many(PROMPTS, 2, lambda done, total: seen.append((done, total)))
    assert seen == [(2, 4), (4, 4)]
    assert all(c.seconds > 0 for c in completions)


def test_the_first_token_comes_after_the_prompt_was_read_and_before_the_end(
    generator: Generator,
) -> None:
    longer = Generator(generator.model, generator.tokenizer, max_new_tokens=32)
    one = next(c for c in map(longer.one, PROMPTS) if len(c.ids) > 20)
    assert 0 < one.prefill < one.seconds
    (short,) = Generator(generator.model, generator.tokenizer, 1).many([PROMPTS[0]], 1)
    assert 0 < short.prefill <= short.seconds


def test_the_text_is_said_piece_by_piece_while_it_is_written(generator: Generator) -> None:
    pieces: list[str] = []
    completion = generator.one(PROMPTS[0], pieces.append)
    assert len(pieces) > 1
    assert "".join(pieces).strip() == generator.text(completion)
    assert completion.ids == generator.one(PROMPTS[0]).ids
