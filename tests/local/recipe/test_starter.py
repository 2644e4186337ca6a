"""The first recipe: short, around the demo's data or around what is there already."""

from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import RecipeError
from ragtune.recipe import file as recipe_file
from ragtune.recipe.section import written
from ragtune.recipe.starter import wrap, write_starter


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder as somebody has it: records, and documents below it."""
    (tmp_path / "mine" / "My docs").mkdir(parents=True)
    (tmp_path / "mine" / "records.jsonl").write_text('{"instruction": "a", "response": "b"}\n')
    return tmp_path / "mine"


def given(path: Path) -> dict[str, Any]:
    return written(recipe_file.load(path))


def test_the_starter_leaves_to_the_defaults_what_is_theirs(tmp_path: Path) -> None:
    path = write_starter(tmp_path / "My project!")
    assert given(path) == {
        "name": "my-project",
        "model.local": "smollm2-reader",
        "records.source": "records.jsonl",
        "documents.source": "docs",
        "study.questions": "questions.jsonl",
    }
    assert {"docs", "records.jsonl", "questions.jsonl"} < {p.name for p in path.parent.iterdir()}


def test_what_exists_is_wrapped_and_not_copied(data: Path, tmp_path: Path) -> None:
    path = wrap(tmp_path / "study", data / "records.jsonl", data / "My docs", "builtin")
    assert [p.name for p in path.parent.iterdir()] == ["recipe.yaml"]
    recipe = recipe_file.load(path)
    assert recipe.model.local == "builtin"
    assert recipe.documents is not None
    assert recipe.path(recipe.documents.source).resolve() == data / "My docs"
    assert recipe.path(str(recipe.records.source)).resolve() == data / "records.jsonl"
    assert "# needs:" in path.read_text()


def test_a_recipe_beside_its_data_names_it_shortly(data: Path) -> None:
    path = wrap(data, data / "records.jsonl", Path("contexts"))
    assert given(path)["records.source"] == "records.jsonl"
    assert given(path)["documents.source"] == "contexts"
    alone = wrap(data / "alone", data / "records.jsonl")
    assert recipe_file.load(alone).documents is None


@pytest.mark.parametrize("name", ["a: b", "#1", "it's", "1e3", "null", "[x", "ö — é"])
def test_any_folders_name_can_be_written(tmp_path: Path, name: str) -> None:
    records = tmp_path / name
    records.mkdir()
    path = wrap(tmp_path, records)
    assert given(path)["records.source"] == name


@pytest.mark.parametrize(
    ("folder", "name"),
    [("Ö", "study"), ("-A_b  c-", "a-b-c"), ("x" * 60, "x" * 40), ("y" * 39 + "-z", "y" * 39)],
)
def test_the_name_is_the_folders_made_valid(
    tmp_path: Path, data: Path, folder: str, name: str
) -> None:
    assert given(wrap(tmp_path / folder, data / "records.jsonl"))["name"] == name


def test_what_is_missing_or_there_already_is_refused(data: Path, tmp_path: Path) -> None:
    records = data / "records.jsonl"
    with pytest.raises(RecipeError, match=r"--records .*none: no such file or folder"):
        wrap(tmp_path / "a", data / "none")
    with pytest.raises(RecipeError, match=r"--docs .*none: no such folder; name one, or `con"):
        wrap(tmp_path / "a", records, data / "none")
    with pytest.raises(RecipeError, match=r"--model what: no such folder; allowed: smollm2-reader"):
        wrap(tmp_path / "a", records, model="what")
    assert not (tmp_path / "a").exists()
    before = wrap(tmp_path / "a", records).read_text()
    with pytest.raises(RecipeError, match="exists already; name another folder"):
        wrap(tmp_path / "a", records, model="builtin")
    assert (tmp_path / "a" / "recipe.yaml").read_text() == before
    with pytest.raises(RecipeError, match="exists already; name an empty folder"):
        write_starter(data)


def test_a_models_folder_is_named_from_the_recipes_own(data: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    path = wrap(tmp_path / "study", data / "records.jsonl", model=str(tmp_path / "model"))
    assert given(path)["model.local"] == "../model"
    other = wrap(tmp_path / "other", data / "records.jsonl", model="org/name")
    assert given(other)["model.local"] == "org/name"
