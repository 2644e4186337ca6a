"""What the base model is measured on must not be in what it was trained on."""

import json
import re
from pathlib import Path
from random import Random

import pytest
from transformers import AutoTokenizer

from ragtune.core.bundled import builtin_embedder, data_folder
from scripts.pretrain.asking import organisation_asked, page_asked, table_asked
from scripts.pretrain.formats import format_task
from scripts.pretrain.organisations import reading_task
from scripts.pretrain.pages import page_task
from scripts.pretrain.wordlists import WORDS

RUN = 10
"""So many words in a row in common are no coincidence: shorter runs are turns of phrase."""
SETS = {
    "handbook": data_folder() / "demo/handbook",
    "mailroom": data_folder() / "demo/mailroom",
    "observatory": Path(__file__).parents[1] / "data/observatory",
    "helpdesk": Path(__file__).parents[1] / "data/helpdesk",
}


def texts(folder: Path) -> list[str]:
    """Documents and contexts."""
    found = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("docs/*"))]
    for path in sorted(folder.glob("*.jsonl")):
        found += [json.loads(line)["context"] for line in path.read_text().splitlines()]
    return found


def questions(folder: Path) -> set[str]:
    lines = [line for path in folder.glob("*.jsonl") for line in path.read_text().splitlines()]
    return {" ".join(words(json.loads(line)["instruction"])) for line in lines}


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def runs(text: str) -> set[str]:
    found = words(text)
    return {" ".join(found[start : start + RUN]) for start in range(len(found) - RUN + 1)}


@pytest.fixture(scope="module")
def trained_on() -> str:
    """The generator's own texts as they stand, and thousands of tasks that it makes of them."""
    made = [path.read_text(encoding="utf-8") for path in sorted(WORDS.glob("*.txt"))]
    for seed in range(1500):
        rng = Random(f"apart/{seed}")
        tasks = [page_task(rng, 2, 0.2, 6), reading_task(rng, 2), format_task(rng)]
        if seed % 5 == 0:  # they are made of the same words
            asked = (page_asked(rng, 4), organisation_asked(rng, 4), table_asked(rng, 4))
            tasks += [task for task in asked if task]
        for task in tasks:
            made += [*task.passages, task.own]
            made += [f"{question.text}\n{question.answer}" for question in task.questions]
    return "\n".join(made)


@pytest.mark.parametrize("name", SETS)
def test_no_passage_of_the_evaluation_is_in_the_mixture(name: str, trained_on: str) -> None:
    held = {run for text in texts(SETS[name]) for run in runs(text)}
    assert len(held) > 500
    assert not held & runs(trained_on)


@pytest.mark.parametrize("name", SETS)
def test_no_question_of_the_evaluation_is_in_the_mixture(name: str, trained_on: str) -> None:
    lines = {" ".join(words(line)) for line in trained_on.splitlines()}
    assert questions(SETS[name])
    assert not questions(SETS[name]) & lines


@pytest.mark.parametrize("name", SETS)
def test_no_made_up_name_of_the_evaluation_is_in_the_mixture(name: str, trained_on: str) -> None:
    """Made up is a name of which the embedder's vocabulary lacks a word."""
    common = AutoTokenizer.from_pretrained(builtin_embedder()).get_vocab()
    whole = "\n".join(texts(SETS[name]))
    names = set(re.findall(r"\b[A-Z][a-z]+ [A-Z][a-z]+\b", whole))
    made_up = {one for one in names if not all(word in common for word in one.lower().split())}
    assert made_up
    assert not {one for one in made_up if one in trained_on}
