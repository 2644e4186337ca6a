"""vLLM's engine over a fake of vLLM: no card was at hand to run the real one on."""

from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import ModelError
from ragtune.models.engines import vllm
from ragtune.models.engines.opened import ends, open_engine
from ragtune.models.engines.vllm import Vllm
from ragtune.models.hardware import Hardware
from ragtune.prompts.base import Prompt, Row
from tests.local.models.engines import fake_vllm

FP32 = Hardware("cpu", "test", 1, "float32", "float32")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> fake_vllm.Seen:
    for name in vllm.SETTINGS:
        monkeypatch.setenv(name, "1")
    return fake_vllm.installed(monkeypatch)


def opened(folder: Path, tokenizer: Any, rank: int | None = None) -> Vllm:
    known = ends(folder, tokenizer)
    return Vllm(folder, tokenizer, FP32, ends=known, fingerprint="f", rank=rank)


def prompts(tokenizer: Any) -> list[Prompt]:
    texts = ["Who rings?", "When does the harbour open? Tell me.", "Soup"]
    return [Prompt(tokenizer(text)["input_ids"], text, 0) for text in texts]


def test_without_the_package_one_line_says_what_to_install(
    tiny_llama: Path, tiny_tokenizer: Any
) -> None:
    with pytest.raises(ModelError, match=r"the package vllm is not installed; .*pip install vllm"):
        opened(tiny_llama, tiny_tokenizer)


def test_answers_are_those_of_the_loop_here_without_the_token_that_ended_them(
    tiny_llama: Path, tiny_tokenizer: Any, seen: fake_vllm.Seen
) -> None:
    engine, asked = opened(tiny_llama, tiny_tokenizer).engine(), prompts(tiny_tokenizer)
    told: list[tuple[int, int]] = []
    found = engine.complete(
        asked, limit=6, stops=[7], batch_size=2, advance=lambda *done: told.append(done)
    )
    own = open_engine(tiny_llama, tiny_tokenizer, FP32, lambda: "")
    expected = own.complete(asked, limit=6, stops=[7], batch_size=2)
    assert [(c.ids, c.text, c.tokens) for c in found] == [
        (c.ids, c.text, c.tokens) for c in expected
    ]
    assert all(0 < c.prefill <= c.seconds for c in found)
    assert told == [(2, 3), (3, 3)]
    assert [count for count, *_ in seen.generated] == [2, 1]
    asked_for = seen.generated[0][2]
    assert (asked_for.temperature, asked_for.max_tokens) == (0.0, 6)
    assert set(asked_for.stop_token_ids or ()) == {7, tiny_tokenizer.eos_token_id}


def test_a_stream_gives_the_answer_in_one_piece_and_losses_are_not_its(
    tiny_llama: Path, tiny_tokenizer: Any, seen: fake_vllm.Seen
) -> None:
    engine, (prompt, *_) = opened(tiny_llama, tiny_tokenizer).engine(), prompts(tiny_tokenizer)
    (whole,) = engine.complete([prompt], limit=4)
    assert list(engine.stream(prompt, limit=4)) == [whole.text]
    assert engine.can == {"answer"}
    with pytest.raises(NotImplementedError):
        engine.loss([Row([0, 5], [0, 5], 0)])


@pytest.mark.parametrize(("rank", "expected"), [(None, None), (1, 1), (8, 8), (12, 16), (300, 320)])
def test_it_is_opened_for_the_ranks_that_may_come(
    tiny_llama: Path,
    tiny_tokenizer: Any,
    seen: fake_vllm.Seen,
    rank: int | None,
    expected: int | None,
) -> None:
    opened(tiny_llama, tiny_tokenizer, rank)
    (arguments,) = seen.opened
    assert arguments.get("max_lora_rank") == expected
    assert arguments.get("enable_lora", False) is (rank is not None)
    assert arguments["dtype"] == "float32"


def test_a_rank_that_it_does_not_take_is_refused_before_it_is_opened(
    tiny_llama: Path, tiny_tokenizer: Any, seen: fake_vllm.Seen
) -> None:
    with pytest.raises(ModelError, match=r"rank 512 and less, and tune\.lora_r gives 600"):
        opened(tiny_llama, tiny_tokenizer, 600)
    assert not seen.opened


def test_what_it_cannot_open_is_one_line(
    tiny_llama: Path, tiny_tokenizer: Any, seen: fake_vllm.Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object, model: str, **others: object) -> None:
        raise RuntimeError("no card\nand much more")

    monkeypatch.setattr(fake_vllm.LLM, "__init__", refuse)
    with pytest.raises(ModelError) as refused:
        opened(tiny_llama, tiny_tokenizer)
    assert str(refused.value) == f"model.engine: vllm: {tiny_llama}: no card"
