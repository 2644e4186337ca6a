import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GenerationConfig

from ragtune.models.engines.base import Completion, Engine
from ragtune.models.engines.torch import TorchEngine, collate
from ragtune.models.families.llama import Llama
from ragtune.models.hardware import probe
from ragtune.models.load import load_base
from ragtune.prompts.base import IGNORED, Prompt, Row

PROMPTS = [
    Prompt(ids, "") for ids in ([0, 5, 6, 7], [0, 9], [0, 11, 12, 13, 14, 15, 16], [0, 30, 31])
]


@pytest.fixture
def engine(tiny_llama: Path, tiny_tokenizer: Any) -> TorchEngine:
    """Its small random weights repeat the prompt's last token."""
    return TorchEngine(load_base(tiny_llama, probe("float32")), tiny_tokenizer, Llama(), "a hash")


@pytest.fixture
def lively(tiny_llama: Path, tiny_tokenizer: Any) -> TorchEngine:
    """Its weights are large enough that it writes one token after another."""
    model: Any = load_base(tiny_llama, probe("float32"))
    with torch.no_grad():
        for weight in model.model.layers.parameters():
            weight.mul_(6 if weight.dim() == 2 else 1)
    return TorchEngine(model, tiny_tokenizer, Llama(), "a hash")


@pytest.fixture
def wordy(tiny_tokenizer: Any) -> Prompt:
    """A prompt that is continued with words."""
    vocabulary = sorted(tiny_tokenizer.get_vocab().items())
    word = next(i for token, i in vocabulary if token[0] == "Ġ" and len(token) > 3)
    return Prompt([0, *[word] * 4], "")


def greedy(model: Any, ids: list[int], steps: int, ends: set[int]) -> list[int]:
    """Plain greedy decoding, the whole sequence again at each step."""
    written: list[int] = []
    for _ in range(steps):
        with torch.no_grad():
            logits = model(torch.tensor([ids + written])).logits[0, -1]
        token = int(logits.argmax())
        if token in ends:
            break
        written.append(token)
    return written


def streamed(engine: Engine, prompt: Prompt, limit: int) -> tuple[list[str], Completion]:
    """The pieces of a stream, and what it returns."""
    pieces, stream = [], engine.stream(prompt, limit=limit)
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            return pieces, end.value


def test_batched_and_single_answers_are_plain_greedy_decoding(lively: TorchEngine) -> None:
    expected = [greedy(lively.model, p.ids, 8, {1}) for p in PROMPTS]
    assert [c.ids for c in lively.complete(PROMPTS, limit=8, batch_size=3)] == expected
    assert [lively.complete([p], limit=8)[0].ids for p in PROMPTS] == expected


def test_an_answer_has_its_text_and_counts_its_tokens(engine: TorchEngine) -> None:
    (one,) = engine.complete(PROMPTS[:1], limit=8)
    assert one.text == engine.tokenizer.decode(one.ids, skip_special_tokens=True).strip()
    assert one.tokens == len(one.ids) == 8


def test_progress_reaches_the_end_and_time_is_shared(engine: TorchEngine) -> None:
    seen: list[tuple[int, int]] = []
    completions = engine.complete(
        PROMPTS, limit=8, batch_size=2, advance=lambda done, total: seen.append((done, total))
    )
    assert seen == [(2, 4), (4, 4)]
    assert all(c.seconds > 0 for c in completions)


def test_the_first_token_comes_after_the_prompt_was_read_and_before_the_end(
    engine: TorchEngine,
) -> None:
    one = next(c for p in PROMPTS for c in engine.complete([p], limit=32) if c.tokens > 20)
    assert 0 < one.prefill < one.seconds
    (short,) = engine.complete(PROMPTS[:1], limit=1)
    assert 0 < short.prefill <= short.seconds


def test_the_text_comes_piece_by_piece_while_it_is_written(
    engine: TorchEngine, wordy: Prompt
) -> None:
    pieces, completion = streamed(engine, wordy, 24)
    assert len(pieces) > 2
    assert all(pieces)
    assert "".join(pieces).strip() == completion.text
    assert completion.ids == engine.complete([wordy], limit=24)[0].ids
    assert 0 < completion.prefill < completion.seconds


def test_a_stream_decodes_no_further_than_it_is_read(engine: TorchEngine, wordy: Prompt) -> None:
    calls = []
    engine.model.register_forward_pre_hook(lambda *_: calls.append(1))
    stream = engine.stream(wordy, limit=400)
    assert len(list(itertools.islice(stream, 2))) == 2
    assert 0 < len(calls) < 20
    stream.close()


def test_an_answer_ends_at_any_end_token_that_anything_names(lively: TorchEngine) -> None:
    free = greedy(lively.model, PROMPTS[0].ids, 8, set())
    of_turn = free[3]
    first = free.index(of_turn)
    assert first > 0
    assert lively.complete(PROMPTS[:1], limit=8)[0].ids == free
    lively.model.generation_config = GenerationConfig(eos_token_id=[1, of_turn])
    assert lively.ends == {1, of_turn}
    assert lively.complete(PROMPTS[:1], limit=8)[0].ids == free[:first]
    assert streamed(lively, PROMPTS[0], 8)[1].ids == free[:first]
    lively.model.generation_config = GenerationConfig()
    lively.model.config.eos_token_id = [of_turn]
    assert lively.complete(PROMPTS[:1], limit=8)[0].ids == free[:first]


def test_an_answer_ends_at_the_stops_of_its_prompt_format(lively: TorchEngine) -> None:
    free = greedy(lively.model, PROMPTS[0].ids, 8, set())
    (one,) = lively.complete(PROMPTS[:1], limit=8, stops=[free[3]])
    assert one.ids == free[: free.index(free[3])] != []
    assert lively.ends == {1}


def test_the_shipped_models_end_where_their_tokenizer_says() -> None:
    from transformers import LlamaConfig

    from ragtune.core.bundled import builtin_model
    from ragtune.models.load import load_tokenizer

    folder = builtin_model()
    generation = GenerationConfig.from_pretrained(folder)
    config = LlamaConfig.from_pretrained(folder)
    eos = load_tokenizer(folder).eos_token_id
    assert generation.eos_token_id == config.eos_token_id == eos


def test_the_loss_is_the_models_own_over_supervised_tokens(engine: TorchEngine) -> None:
    rows = [
        Row([0, 5, 6, 7, 1], [IGNORED, IGNORED, 6, 7, 1]),
        Row([0, 9], [0, 9]),
        Row([0, 11, 12, 13], [IGNORED, IGNORED, IGNORED, 13]),
    ]
    seen: list[tuple[int, int]] = []
    measured = engine.loss(rows, batch_size=2, advance=lambda *given: seen.append(given))
    nats = 0.0
    for row in rows:
        ids, labels = torch.tensor([row.ids]), torch.tensor([row.labels])
        with torch.no_grad():
            count = int((labels[:, 1:] != IGNORED).sum())
            nats += float(engine.model(ids, labels=labels).loss) * count
    assert measured.tokens == 3 + 1 + 1
    assert measured.nats == pytest.approx(nats, rel=1e-5)
    assert measured.mean == pytest.approx(nats / 5, rel=1e-5)
    assert seen == [(2, 3), (3, 3)]


def test_the_loss_goes_through_the_familys_logits(engine: TorchEngine) -> None:
    class Halved(Llama):
        def logits(self, model: Any, hidden: torch.Tensor) -> torch.Tensor:
            return super().logits(model, hidden) / 2

    rows = [Row([0, 5, 6, 7], [0, 5, 6, 7])]
    halved = TorchEngine(engine.model, engine.tokenizer, Halved(), "a hash")
    assert halved.loss(rows).nats != engine.loss(rows).nats


def test_a_batch_is_masked_only_where_it_is_padded() -> None:
    even = collate([Row([1, 2], [1, 2]), Row([3, 4], [3, 4])], pad=9)
    assert "attention_mask" not in even
    uneven = collate([Row([1, 2], [IGNORED, 2]), Row([3], [3])], pad=9)
    assert uneven["input_ids"].tolist() == [[1, 2], [3, 9]]
    assert uneven["labels"].tolist() == [[IGNORED, 2], [3, IGNORED]]
    assert uneven["attention_mask"].tolist() == [[1, 1], [1, 0]]


def test_it_is_an_engine_that_says_what_it_is(engine: TorchEngine) -> None:
    seam: Engine = engine
    assert (seam.name, seam.fingerprint, seam.context_length) == ("torch", "a hash", 768)
    assert seam.can == {"answer", "stream", "loss", "tune"}
