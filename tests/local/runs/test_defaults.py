"""What a recipe leaves open, and where it is filled from."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import ModelError, OfflineError, RecipeError
from ragtune.models import smollm
from ragtune.models.defaults import FILE, has_chat_template
from ragtune.models.folder import shape
from ragtune.recipe import file as recipe_file
from ragtune.recipe.schema import Recipe
from ragtune.recipe.section import written
from ragtune.runs import defaults
from ragtune.runs.check import check
from tests.conftest import record_rows, write_jsonl

Project = Callable[..., Path]
OPEN: dict[str, Any] = {"records": {"source": "records.jsonl"}, "rag": {}, "study": {}, "tune": {}}
"""Sections of the tiny project that leave everything open."""
ITS_OWN = """\
template: {prompt: "Read: {context}\\nAsk: {instruction}"}
rag: {chunk_tokens: 48, top_k: 3}
study: {refusal: no idea, max_new_tokens: 7}
tune: {lora_r: 4}
"""


@pytest.fixture
def model(tiny_llama: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model, for a defaults file or a chat template of its own."""
    return Path(shutil.copytree(tiny_llama, tmp_path / "its-model"))


def opened(project: Project, model: Path, *overrides: str, **sections: Any) -> Recipe:
    path = project(**{**OPEN, "model": {"local": str(model)}, **sections})
    return defaults.load(path, overrides)


def test_a_models_file_fills_what_the_recipe_leaves_open(project: Project, model: Path) -> None:
    (model / FILE).write_text(ITS_OWN)
    recipe = opened(project, model, "rag.top_k=1")
    assert (recipe.rag.chunk_tokens, recipe.rag.top_k) == (48, 1)
    assert recipe.template.prompt.startswith("Read: ")
    assert (recipe.study.refusal, recipe.study.max_new_tokens) == ("no idea", 7)
    assert recipe.tune.lora_r == 4
    assert recipe.origins["rag.chunk_tokens"] == "its-model's defaults"
    assert "rag.top_k" not in recipe.origins


def test_a_prompt_in_the_recipe_takes_nothing_of_the_models_template(
    project: Project, model: Path
) -> None:
    (model / FILE).write_text('template: {prompt: "{context}{instruction}", passage: "* {text}"}')
    own = {"prompt": "{context} {instruction}"}
    recipe = opened(project, model, template=own)
    assert written(recipe.template) == own
    warned = check(recipe)[0]["data_warnings"]
    assert any(w.startswith("template.prompt, template.passage: its-model") for w in warned)
    other = opened(project, model, template={"completion": "{response}."})
    assert other.template.passage == "* {text}"


def test_a_model_asked_in_its_own_form_is_not_warned_of(project: Project, model: Path) -> None:
    (model / FILE).write_text(ITS_OWN)
    assert not any("form" in w for w in check(opened(project, model))[0]["data_warnings"])


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("seed: 3\n", r"ragtune.yaml:1: seed: not here; allowed: template, rag, study.refusal"),
        ("rag:\n  top_k: 0\n", r"ragtune.yaml:2: rag.top_k: .*greater than or equal to 1"),
        ("study: {arms: [rag]}\n", r"ragtune.yaml:1: study.arms: not here"),
        ("[]", "a recipe is a mapping"),
    ],
)
def test_faults_of_a_models_file_are_named(
    project: Project, model: Path, content: str, fault: str
) -> None:
    (model / FILE).write_text(content)
    with pytest.raises(RecipeError, match=fault):
        opened(project, model)


def test_contexts_of_records_that_name_their_documents_are_passages(
    project: Project, model: Path
) -> None:
    path = project(**OPEN, model={"local": str(model)})
    assert defaults.load(path).records.context == "passage"
    assert defaults.load(path, ("records.context=input",)).records.context == "input"
    assert defaults.load(path, ("documents=null",)).records.context == "input"

    unnamed = [
        {n: v for n, v in r.items() if n not in ("document", "evidence")} for r in record_rows()
    ]
    write_jsonl(path.parent / "records.jsonl", unnamed)
    assert defaults.load(path).records.context == "input"
    assert defaults.load(path, ("documents.source=contexts",)).records.context == "passage"


def test_no_row_loses_its_gold_passage_where_records_without_an_answer_teach_what_to_say_then(
    project: Project, model: Path
) -> None:
    assert opened(project, model).records.without_gold > 0
    path = project(**{**OPEN, "model": {"local": str(model)}})
    refused = {"instruction": "Who feeds the seals?", "response": "not in the documents"}
    write_jsonl(path.parent / "records.jsonl", [*record_rows(), *[refused] * 12])
    recipe = defaults.load(path)
    assert recipe.records.without_gold == 0
    assert recipe.origins["records.without_gold"].endswith("of which have no answer")
    assert defaults.load(path, ("records.without_gold=0.5",)).records.without_gold == 0.5


def test_settings_of_tuning_follow_from_the_records(project: Project, model: Path) -> None:
    recipe = opened(project, model)
    tune = [name for name in recipe.origins if name.startswith("tune.")]
    assert {"tune.epoch", "tune.learning_rate", "tune.local.layout"} <= set(tune)
    assert recipe.tune.epoch > 5
    assert {recipe.origins[name] for name in tune} == {"10 training records"}
    assert opened(project, model, "tune.epoch=2").tune.epoch == 2
    untuned = opened(project, model, "study.arms=[base,rag]")
    assert not any(name.startswith("tune.") for name in untuned.origins)


def test_a_recipe_to_be_promoted_keeps_the_containers_form(project: Project, model: Path) -> None:
    (model / FILE).write_text("tune: {local: {layout: packed}}")
    recipe = opened(project, model, "model.jumpstart=meta-textgeneration-llama-3-2-1b")
    assert not written(recipe.tune.local)
    assert recipe.origins["tune.epoch"].endswith("in the container's form")


def test_a_model_of_which_nothing_is_known_is_asked_by_its_chat_template(
    project: Project, model: Path
) -> None:
    (model / "chat_template.jinja").write_text("{{ messages }}")
    recipe = opened(project, model)
    assert recipe.template.format == "chat"
    assert recipe.origins["template.format"] == "the model's chat template"
    promoted = opened(project, model, "model.jumpstart=meta-textgeneration-llama-3-2-1b")
    assert promoted.template.format == "instruct"
    assert opened(project, model, "template.format=instruct").template.format == "instruct"
    own = opened(project, model, "template.separator=A")
    assert (own.template.format, own.template.separator) == ("instruct", "A")


def test_a_model_of_which_nothing_is_known_is_shown_passages_before_the_question(
    project: Project, model: Path
) -> None:
    prompt = opened(project, model).template.prompt
    assert prompt.index("{context}") < prompt.index("{instruction}")
    own = opened(project, model, "study.arms=[base,tuned]")
    assert own.template.prompt == Recipe.model_fields["template"].default.prompt


def test_a_filled_recipe_is_read_back_as_it_is(project: Project, model: Path) -> None:
    recipe = opened(project, model)
    path = model.parent / "filled.yaml"
    path.write_text(recipe_file.dump_with_origins(recipe))
    for again in (recipe_file.load(path), defaults.load(path)):
        assert again.filled == recipe.filled
        assert not again.origins
    assert "# 10 training records" in path.read_text()


def test_records_that_cannot_be_read_are_left_to_who_needs_them(
    project: Project, model: Path
) -> None:
    path = project(**OPEN, model={"local": str(model)})
    (path.parent / "records.jsonl").unlink()
    assert defaults.load(path).records.context == "input"


def test_a_model_that_is_not_there_is_named_when_the_recipe_is_read(project: Project) -> None:
    with pytest.raises(ModelError, match="no such folder; name a folder or a hub id"):
        opened(project, Path("nowhere"))
    with pytest.raises(OfflineError, match="model some/model: not on this machine"):
        opened(project, Path("some/model"))


def test_a_chat_template_is_found_where_transformers_looks(model: Path) -> None:
    assert not has_chat_template(model)
    config = json.loads((model / "tokenizer_config.json").read_text())
    (model / "tokenizer_config.json").write_text(json.dumps({**config, "chat_template": "{{ 1 }}"}))
    assert has_chat_template(model)
    (model / "tokenizer_config.json").unlink()
    assert not has_chat_template(model)
    (model / "chat_template.jinja").write_text("{{ 1 }}")
    assert has_chat_template(model)


@pytest.mark.parametrize("name", ["builtin", *smollm.NAMES])
def test_the_models_that_ship_bring_their_defaults(project: Project, name: str) -> None:
    recipe = opened(project, Path(name), "study.arms=[base,rag]")
    assert recipe.origins["rag.chunk_tokens"] == f"{name}'s defaults"
    assert recipe.origins["template.prompt"] == f"{name}'s defaults"


@pytest.mark.parametrize("name", smollm.NAMES)
def test_the_size_of_a_model_is_known_before_it_is_unpacked(name: str) -> None:
    assert shape(smollm.smollm_folder(name)) == smollm.SHAPE
