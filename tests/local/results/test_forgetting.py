import math
from pathlib import Path
from typing import Any

import pytest
import torch

from ragtune.core import bundled as builtin
from ragtune.core.errors import RecipeError
from ragtune.models.engines.torch import TorchEngine
from ragtune.models.families.llama import Llama
from ragtune.models.hardware import probe
from ragtune.models.load import load_base
from ragtune.results.forgetting import compare, continuations, paragraphs, text_loss


@pytest.fixture
def engine(tiny_llama: Path, tiny_tokenizer: Any) -> TorchEngine:
    return TorchEngine(load_base(tiny_llama, probe("float32")), tiny_tokenizer, Llama(), "")


def test_the_built_in_text_is_two_hundred_sentences() -> None:
    text = paragraphs(builtin.general_text())
    assert sum(p.count(".") for p in text) == 200
    assert all("  " not in p and "\n" not in p for p in text)


def test_the_loss_is_the_models_own_over_every_token(
    engine: TorchEngine, tiny_tokenizer: Any
) -> None:
    text = ["Soup costs three crowns.", "The café opens at six, and nobody knows why it does."]
    measured = text_loss(engine, tiny_tokenizer, text)
    total, tokens = 0.0, 0
    for paragraph in text:
        ids = torch.tensor([[0, *tiny_tokenizer(paragraph, add_special_tokens=False)["input_ids"]]])
        with torch.no_grad():
            total += float(engine.model(ids, labels=ids).loss) * (ids.shape[1] - 1)
        tokens += ids.shape[1] - 1
    assert measured["tokens"] == tokens
    assert measured["bytes"] == sum(len(p.encode()) for p in text)
    assert measured["nats_per_token"] == pytest.approx(total / tokens, rel=1e-5)
    assert measured["bits_per_byte"] == pytest.approx(
        total / math.log(2) / measured["bytes"], rel=1e-5
    )


def test_a_paragraph_longer_than_the_context_is_read_whole_in_parts(
    engine: TorchEngine, tiny_tokenizer: Any
) -> None:
    whole = text_loss(engine, tiny_tokenizer, ["one crown " * 20])
    engine.model.config.max_position_embeddings = 32
    parts = text_loss(engine, tiny_tokenizer, ["one crown " * 20])
    assert parts["tokens"] == whole["tokens"]


def test_an_untouched_model_forgets_nothing_and_another_goes_on_otherwise(
    engine: TorchEngine, tiny_tokenizer: Any
) -> None:
    text = ["Soup costs three crowns.", "Keys hang in room nine."]
    loss = text_loss(engine, tiny_tokenizer, text)
    before = continuations(engine, tiny_tokenizer, text)
    assert len(before) == 2
    assert compare([loss, loss], [before, before])["unchanged"] == 1.0
    with torch.no_grad():
        engine.model.model.norm.weight.mul_(torch.linspace(-1, 1, 32))
    after = continuations(engine, tiny_tokenizer, text)
    assert compare([loss, loss], [before, after])["unchanged"] < 1.0


def test_a_text_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"study.general_text: .*none.txt: No such file"):
        paragraphs(tmp_path / "none.txt")
    (tmp_path / "empty.txt").write_text(" \n\n ")
    with pytest.raises(RecipeError, match="holds no text"):
        paragraphs(tmp_path / "empty.txt")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(RecipeError, match="not UTF-8"):
        paragraphs(tmp_path / "latin.txt")


def test_short_beginnings_are_continued_at_once_and_long_ones_a_few_at_a_time(
    engine: TorchEngine, tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    plain = engine.complete

    def seen(*args: Any, batch_size: int, **kwargs: Any) -> Any:
        sizes.append(batch_size)
        return plain(*args, batch_size=batch_size, **kwargs)

    monkeypatch.setattr(engine, "complete", seen)
    text = [f"Soup number {n} costs three crowns, and bread costs one." for n in range(10)]
    together = continuations(engine, tiny_tokenizer, text)
    monkeypatch.setattr("ragtune.results.forgetting.SHORT", 3)
    assert continuations(engine, tiny_tokenizer, text) == together
    assert sizes == [10, 8]
