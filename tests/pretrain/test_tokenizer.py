from pathlib import Path
from random import Random

import pytest
from transformers import AutoTokenizer

from ragtune.prompts.instruct import InstructFormat
from scripts.pretrain.organisations import reading_task
from scripts.pretrain.samples import TEMPLATE, Piece, Task, compact, encode, prompts
from scripts.pretrain.tokenizer import load_tokenizer, train_tokenizer

TEXTS = [
    "the director",
    "",
    "\nfoo",
    "a\n\nb",
    " x",
    "\n\n\n",
    "a\n  b\n",
    "é 12,5\t\n x",
    "### Response:\nthe director",
    " \n \n",
    "日本 and \N{GRINNING FACE}",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny tokenizer, saved."""
    texts = [reading_task(Random(seed)).passages[0] for seed in range(100)]
    path = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(texts, 600, 256).save_pretrained(path)
    return path


@pytest.mark.parametrize("text", TEXTS)
def test_every_text_survives_the_round_trip(folder: Path, text: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(text)["input_ids"]
    assert ids.count(tokenizer.bos_token_id) == 1
    assert ids[0] == tokenizer.bos_token_id
    assert tokenizer.eos_token_id not in ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_a_word_is_the_same_tokens_at_the_start_of_a_line(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)

    def ids(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    assert ids("### Response:\nthe director") == ids("### Response:\n") + ids("the director")
    assert ids("12") == ids("x 12")[-3:]
    for answer in ("12", "(a) b", "5.30 pm"):
        assert ids(f"### Response:\n{answer}") == ids("### Response:\n") + ids(answer)
    assert ids("so the director")[-len(ids("the director")) :] == ids("the director")


def test_samples_are_encoded_as_the_renderer_encodes_them(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)
    task = reading_task(Random(5), passages=2, most=1)
    ids, weights = encode(prompts(task), tokenizer)
    template = TEMPLATE
    context = template.context("", task.passages)
    row = InstructFormat(template, tokenizer).row(
        task.questions[0].text, context, task.questions[0].answer
    )
    assert ids == row.ids
    answered = [number for number, weight in enumerate(weights) if weight > 1]
    assert answered == [number for number, label in enumerate(row.labels) if label != -100]


def test_a_compact_layout_ends_once_and_weighs_all_answers(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)
    task = reading_task(Random(7))
    sample = compact(task, Random(1))
    ids, weights = encode(sample, tokenizer)
    assert ids.count(tokenizer.eos_token_id) == 1
    assert ids[-1] == tokenizer.eos_token_id
    assert len(ids) == len(weights)
    answers = [piece.text.strip() for piece in sample if piece.kind == "answer"]
    assert answers == [question.answer for question in task.questions]


def test_a_closed_book_prompt_has_an_empty_context() -> None:
    task = Task(reading_task(Random(3)).questions)
    first = prompts(task)[0]
    assert isinstance(first, Piece)
    assert "### Input:\n\n\n" in first.text
