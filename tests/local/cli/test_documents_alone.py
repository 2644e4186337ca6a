"""Documents without records: a recipe is made for them, they are searched and asked."""

from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with documents in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "fog.md").write_text("# Fog\n\nThe fog horn of Wick is painted red.\n")
    (tmp_path / "papers" / "tea.md").write_text("# Tea\n\nTea at the station costs two crowns.\n")
    return tmp_path


def test_init_makes_a_recipe_whose_questions_are_to_be_drafted(folder: Path, called: Any) -> None:
    code, out, _ = called("init", "study", "--docs", "papers", "--model", "builtin")
    assert code == 0
    assert "next: ragtune questions study/recipe.yaml" in out
    recipe = yaml.safe_load((folder / "study" / "recipe.yaml").read_text())
    assert recipe["documents"] == {"source": "../papers"}
    assert recipe["study"] == {"questions": "questions/questions.jsonl"}
    code, _, err = called("run", "study/recipe.yaml")
    assert (code, "get it: ragtune questions recipe.yaml" in err) == (3, True)
    for wrong, said in (("nothing", "no such folder"), ("contexts", "give --records too")):
        code, _, err = called("init", "other", "--docs", wrong)
        assert (code, said in err) == (2, True)


def test_documents_are_indexed_searched_and_asked_without_records(
    folder: Path, called: Any
) -> None:
    path = folder / "recipe.yaml"
    path.write_text("name: bare\nmodel: {local: builtin}\ndocuments: {source: papers}\n")
    code, out, _ = called("index", path)
    assert (code, "2 documents" in out) == (0, True)
    run = out.split(":")[0]
    assert "painted red" in called("search", path, "What colour is the fog horn?")[1]
    question = "What colour is the fog horn of Wick?"
    code, out, _ = called("ask", run, question)
    assert (code, "[1] fog.md" in out) == (0, True)
    assert called("ask", run, question, "--arm", "base")[0] == 0
    code, _, err = called("run", path)
    assert (code, "ragtune questions RECIPE" in err) == (3, True)
    path.write_text("name: bare\n")
    code, _, err = called("check", path)
    assert (code, "records.source: missing" in err) == (2, True)
