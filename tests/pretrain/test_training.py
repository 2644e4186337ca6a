import lzma
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from scripts.pretrain.card import render_card
from scripts.pretrain.corpus import FACTBOOK, PROSE, Corpus
from scripts.pretrain.evaluate import Case, bits_per_byte, normalised, respond, scores, token_f1
from scripts.pretrain.mixture import KNOTS, SHARES, STAGES, Stream, row_length, shares
from scripts.pretrain.model import build, export
from scripts.pretrain.organisations import reading_task
from scripts.pretrain.tokenizer import train_tokenizer
from scripts.pretrain.train import Progress, Settings, Training, relative_rate

SIZES = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
SETTINGS = Settings(tokens=512 * 6, batch_tokens=512, compiled=False, log_steps=1, seed=3)
ARTICLE = "Painter {n}\n" + "Anna Grey was born in Velden in 1902 and moved to Oslo in 1931. " * 5


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """A few made-up articles in the form of the real files."""
    folder = tmp_path_factory.mktemp("text")
    text = "\n\n".join(ARTICLE.format(n=number) for number in range(6))
    for name in (*PROSE, FACTBOOK):
        (folder / name).write_bytes(lzma.compress(text.encode()))
    return Corpus(folder)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    """A tiny tokenizer."""
    texts = [reading_task(Random(seed)).passages[0] for seed in range(100)]
    return train_tokenizer(texts, 600, 1024)


def training(corpus: Corpus, tokenizer: PreTrainedTokenizerFast, folder: Path) -> Training:
    stream = Stream(corpus, tokenizer, SETTINGS.seed, SETTINGS.batch_tokens)
    model = build(tokenizer, SETTINGS.seed, **SIZES)
    return Training(model, stream, SETTINGS, folder)


def test_the_shares_of_the_sources_add_up_to_one() -> None:
    assert all(len(row) == len(KNOTS) for row in SHARES.values())
    for fraction in np.linspace(0, 1, 21):
        assert sum(shares(float(fraction)).values()) == pytest.approx(1.0)
    assert [row_length(until - 0.01) for until, _ in STAGES] == [length for _, length in STAGES]


def test_a_batch_depends_on_its_step_alone(
    corpus: Corpus, tokenizer: PreTrainedTokenizerFast
) -> None:
    stream = Stream(corpus, tokenizer, 1, 2048)
    for fraction in (0.0, 0.5, 0.99):
        batch = stream.batch(4, fraction)
        again = Stream(corpus, tokenizer, 1, 2048).batch(4, fraction)
        assert batch.inputs.shape == (2048 // row_length(fraction), row_length(fraction))
        assert (batch.inputs == again.inputs).all()
        assert (batch.inputs[:, 1:] == batch.targets[:, :-1]).all()
        assert (batch.weights == 4.0).mean() > 0.02
    assert (stream.batch(5, 0.5).inputs != stream.batch(4, 0.5).inputs).any()


def test_a_resumed_training_ends_with_the_same_weights(
    corpus: Corpus, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    straight = training(corpus, tokenizer, tmp_path / "straight")
    straight.run(until_step=3)
    first = training(corpus, tokenizer, tmp_path / "resumed")
    first.run(until_step=1)
    second = training(corpus, tokenizer, tmp_path / "resumed")
    assert second.resume()
    second.run(until_step=3)
    assert second.progress.step == straight.progress.step == 3
    pairs = zip(straight.model.parameters(), second.model.parameters(), strict=True)
    assert all(torch.equal(left, right) for left, right in pairs)
    assert [line["step"] for line in second.log] == [1, 2, 3]


def test_the_loss_falls_and_the_budget_ends_the_training(
    corpus: Corpus, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    run = training(corpus, tokenizer, tmp_path)
    run.run()
    assert run.progress.tokens >= SETTINGS.tokens
    assert run.log[-1]["text"] < run.log[0]["text"]


def test_the_clock_can_be_the_budget() -> None:
    settings = Settings(tokens=0, minutes=2)
    assert Progress(seconds=60).fraction(settings) == 0.5
    assert relative_rate(0.0, settings) > 0
    assert relative_rate(0.3, settings) == 1.0
    assert relative_rate(1.0, settings) == 0.0


def test_what_is_exported_loads_plainly_and_answers(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    for _ in range(2):
        export(build(tokenizer, 1, **SIZES), tokenizer, folder, {"README.md": "a card\n"})
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    model = AutoModelForCausalLM.from_pretrained(folder)
    loaded = AutoTokenizer.from_pretrained(folder)
    assert model.config.model_type == "llama"
    assert model.dtype == torch.bfloat16
    wikitext = tmp_path / "text.txt"
    wikitext.write_text("a few words\n", encoding="utf-8")
    assert 2 < bits_per_byte(model.float(), loaded, wikitext) < 20
    assert len(respond(model, loaded, ["one", "two two"], most=3)) == 2


def test_scores_take_the_best_gold_answer_and_count_refusals() -> None:
    assert normalised("The  Red, door!") == ["red", "door"]
    assert token_f1("a red door", "the red gate") == 0.5
    cases = [Case("", ("red door", "door")), Case("", ("one",)), Case("", ()), Case("", ())]
    figures = scores(cases, ["Door.", "not in the documents", "not in the documents", "x"])
    assert figures["token_f1"] == 50.0
    assert figures["exact_match"] == 50.0
    assert figures["refused_wrongly"] == 50.0
    assert figures["refused_rightly"] == 50.0


def test_the_card_names_sources_and_figures() -> None:
    figures = {"parameters": 9_440_640, "bits_per_byte": 1.9}
    log = [{"step": 10, "tokens": 81920, "seconds": 60.0, "text": 4.25}]
    card = render_card(figures, log, vars(SETTINGS))
    assert "CC BY-SA" in card
    assert "| 1.9 |" in card
    assert "text 4.25" in card
