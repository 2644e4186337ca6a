from pathlib import Path

import pytest

from ragtune.core.errors import RecipeError
from ragtune.prompts.template import CHAT_PROMPT, PROMPT
from ragtune.recipe import file as recipe_file
from ragtune.recipe.schema import Recipe


def load(folder: Path, template: str, *overrides: str) -> Recipe:
    path = folder / "recipe.yaml"
    path.write_text(f"name: a\nrecords: {{source: r}}\ntemplate: {template}\n", encoding="utf-8")
    return recipe_file.load(path, overrides)


def test_a_bare_name_is_short_for_the_format(tmp_path: Path) -> None:
    short, long = load(tmp_path, "chat"), load(tmp_path, "{format: chat}")
    assert short == long
    assert short.template.build().format == "chat"
    assert load(tmp_path, "instruct").template == load(tmp_path, "{}").template


def test_a_chats_words_are_its_own_unless_the_recipe_gives_others(tmp_path: Path) -> None:
    assert load(tmp_path, "{}").template.prompt == PROMPT
    assert load(tmp_path, "chat").template.prompt == CHAT_PROMPT
    own = load(tmp_path, '{format: chat, prompt: "{instruction} {context}", system: Be brief.}')
    assert own.template.prompt == "{instruction} {context}"
    assert own.template.build().system == "Be brief."


def test_a_field_beside_a_bare_name_can_be_overridden(tmp_path: Path) -> None:
    made = load(tmp_path, "chat", "template.system=Be brief.").template
    assert (made.format, made.system) == ("chat", "Be brief.")
    assert load(tmp_path, "{}", "template=chat").template.format == "chat"


def test_a_filled_chat_recipe_reads_back_equal(tmp_path: Path) -> None:
    recipe = load(tmp_path, "chat")
    again = tmp_path / "again.yaml"
    again.write_text(recipe_file.dump(recipe), encoding="utf-8")
    assert recipe_file.load(again) == recipe


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("chatt", "template.format: allowed: `instruct`, `chat`; got 'chatt'"),
        ("5", "template: a form (`instruct`, `chat`) or a section with template.format"),
        ("[chat]", "template: a form (`instruct`, `chat`) or a section with template.format"),
        (
            "{system: Be brief.}",
            "template: system: the instruction form has no system turn; use format: chat",
        ),
        (
            '{format: chat, separator: "\\n"}',
            "template: separator: a chat template has its own; leave it out",
        ),
    ],
)
def test_anything_else_is_refused_in_one_line(tmp_path: Path, written: str, fault: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load(tmp_path, written)
    (told,) = str(caught.value).splitlines()
    assert told == f"{tmp_path / 'recipe.yaml'}:3: {fault}"
