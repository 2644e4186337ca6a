"""The examples of docs/records.md: each is read, and `check` says the line below it."""

import re
from pathlib import Path

import pytest
import yaml

from ragtune.recipe.records import Records
from ragtune.sources.records import load
from tests.conftest import ROOT

PAGE = (ROOT / "docs/records.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"```jsonl (\S+)\n(.*?)```\n(?:```yaml\n(.*?)```\n)?```text\n(.*?)\n```", PAGE, re.DOTALL
)
RECIPES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_has_an_example_of_each_form() -> None:
    assert len(EXAMPLES) == PAGE.count("```jsonl") == 9


@pytest.mark.parametrize(("name", "content", "recipe", "said"), EXAMPLES, ids=lambda v: v[:20])
def test_an_example_is_read_as_the_page_says(
    name: str, content: str, recipe: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    section = yaml.safe_load(recipe)["records"] if recipe else {"source": name}
    loaded = load(tmp_path / name, Records.model_validate(section), "no answer")
    assert loaded.read == [said]
    assert not loaded.bad
    assert all(record.instruction and record.response for record in loaded.records)


def test_every_recipe_on_the_page_is_allowed() -> None:
    for text in RECIPES:
        Records.model_validate(yaml.safe_load(text)["records"])
