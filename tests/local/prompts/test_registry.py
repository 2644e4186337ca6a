from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ragtune
from ragtune.core.errors import ModelError
from ragtune.core.files import read_json
from ragtune.prompts import registry
from ragtune.prompts.base import IGNORED, Example, PromptFormat
from ragtune.prompts.chat import ChatFormat
from ragtune.prompts.instruct import InstructFormat
from ragtune.prompts.registry import format_of
from ragtune.prompts.template import CHAT, CHAT_PROMPT, INSTRUCT, Template
from ragtune.recipe import file as recipe_file
from ragtune.runs.pipeline import Pipeline
from tests.local.prompts.test_chat import CHATML, with_template
from tests.local.prompts.toy import Dialogue

QUESTION = "When does the harbour open?"


@pytest.fixture
def dialogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is asked in `Dialogue`, for one test."""
    monkeypatch.setitem(registry.formats, INSTRUCT, Dialogue)


def test_a_template_is_bound_to_a_tokenizer(tiny_tokenizer: Any) -> None:
    form = format_of(Template(separator=" > "), tiny_tokenizer)
    assert isinstance(form, InstructFormat)
    assert form.hash == Template(separator=" > ").hash
    chat = format_of(Template(format=CHAT), with_template(tiny_tokenizer, CHATML))
    assert isinstance(chat, ChatFormat)


@pytest.mark.parametrize("name", ["instruct", "chat", "dialogue"])
def test_every_format_asks_as_it_trains(name: str, tiny_tokenizer: Any) -> None:
    forms: dict[str, PromptFormat] = {
        "instruct": InstructFormat(Template(), tiny_tokenizer),
        "chat": ChatFormat(
            Template(format=CHAT, prompt=CHAT_PROMPT), with_template(tiny_tokenizer, CHATML)
        ),
        "dialogue": Dialogue(Template(), tiny_tokenizer),
    }
    form, passages = forms[name], ["The harbour opens at six.", "Fog.", "Soup."]
    context = form.context("Own.", passages)
    assert context == Template().context("Own.", passages)
    asked, row = form.prompt(QUESTION, "Own.", passages), form.row(QUESTION, context, "six")
    assert asked.ids[0] == tiny_tokenizer.bos_token_id
    assert tiny_tokenizer.bos_token_id not in asked.ids[1:]
    assert asked.text == form.question(QUESTION, context)
    assert row.ids[: len(asked.ids)] == asked.ids
    assert row.labels == [IGNORED] * len(asked.ids) + row.ids[len(asked.ids) :]
    assert row.ids[-1] in {tiny_tokenizer.eos_token_id, *form.stops}
    assert form.response(form.answer("six")) == "six"
    shorter = form.prompt(QUESTION, "Own.", passages, len(asked.ids) - 1)
    assert (shorter.passages, len(shorter.ids) < len(asked.ids)) == (2, True)
    examples = [Example("Where?", "", "here"), Example("Who?", "Own.", "she")]
    shown = form.prompt(QUESTION, "Own.", passages, examples=examples)
    assert (shown.examples, shown.passages, shown.ids[0]) == (2, 3, asked.ids[0])
    assert shown.text.index("here") < shown.text.index("she") < shown.text.index(QUESTION)
    nearest = form.prompt(QUESTION, "Own.", passages, len(shown.ids) - 1, examples)
    assert (nearest.examples, nearest.passages) == (1, 3)
    assert "here" not in nearest.text
    cut = form.row(QUESTION, context, "six", len(row.ids) - 2)
    assert (cut.ids, cut.labels, cut.cut) == (row.ids[:-2], row.labels[:-2], 2)
    with pytest.raises(ValueError, match="tokens"):
        form.prompt("", limit=1)


def test_a_format_that_is_one_file_tunes_and_answers(
    project: Callable[..., Path], tmp_path: Path, dialogue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = recipe_file.load(project(), ("study.arms=[tuned]", "records.with_passages=0"))
    folder = tmp_path / "runs" / recipe.run_name
    Pipeline(recipe, folder).execute()
    noted = read_json(folder / "adapter" / "ragtune.json")["template_hash"]
    with ragtune.open(folder) as run:
        form = run.arm("tuned").format
        assert isinstance(form, Dialogue)
        assert noted == form.hash != recipe.template.build().hash
        asked = run.arm("tuned").prompt(run.materials.questions[0], [])
        assert asked.text.endswith("\nassistant:")
        given = run.ask(QUESTION, arm="tuned")
        assert "\n" not in given["text"]
    monkeypatch.setitem(registry.formats, INSTRUCT, InstructFormat)
    with ragtune.open(folder) as run, pytest.raises(ModelError, match="tuned with template"):
        run.ask(QUESTION, arm="tuned")
