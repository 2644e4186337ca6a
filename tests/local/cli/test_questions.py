import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ragtune.questions import models
from tests.local.models.engines.fake_server import FakeServer, serving
from tests.local.questions.helpers import DOCUMENTS
from tests.local.questions.test_drafting import asked_of

Called = Callable[..., tuple[int, str, str]]


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name, (title, text) in DOCUMENTS.items():
        (folder / name).write_text(f"# {title}\n\n{text}\n", encoding="utf-8")
    return folder


def test_one_command_drafts_from_a_folder_with_a_server_that_is_named(
    documents: Path, tmp_path: Path, called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "reader", lambda hardware: None)
    output = tmp_path / "drafts"
    with serving(FakeServer(answer=asked_of)) as server:
        options = ("--engine", server.url, "--output", output, "--test", "5", "--train", "2")
        code, out, err = called("questions", documents, *options)
    assert (code, err) == (0, "")
    assert "nothing read the questions back" in out
    assert re.search(
        r"^4 test questions \(0 without an answer\) and \d training rows in ", out, re.M
    )
    assert f"next: read them with `ragtune review {output / 'questions.jsonl'}`" in out
    rows = [json.loads(line) for line in (output / "questions.jsonl").read_text().splitlines()]
    assert {row["drafted"] for row in rows} == {"tiny"}


def test_a_recipe_says_which_documents_and_the_drafts_are_beside_it(
    project: Callable[..., Path], called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "reader", lambda hardware: None)
    recipe = project()
    with serving(FakeServer(answer=asked_of)) as server:
        code, _, err = called("questions", recipe, "--engine", server.url, "--test", "3")
    assert (code, err) == (0, "")
    assert (recipe.parent / "questions" / "questions.jsonl").is_file()


def test_of_a_recipe_that_names_the_drafts_already_the_next_command_is_said(
    documents: Path, tmp_path: Path, called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "reader", lambda hardware: None)
    code, out, _ = called("init", tmp_path / "study", "--docs", documents)
    recipe = tmp_path / "study" / "recipe.yaml"
    assert f"next: ragtune questions {recipe}" in out
    with serving(FakeServer(answer=asked_of)) as server:
        code, out, err = called("questions", recipe, "--engine", server.url, "--test", "3")
    assert (code, err) == (0, "")
    assert f"`, then `ragtune run {recipe}`" in out
    assert "name them in the recipe" not in out


def test_without_a_model_rules_make_the_questions_and_say_so(
    documents: Path, tmp_path: Path, called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ragtune.models import smollm

    monkeypatch.setattr(smollm, "find_spec", lambda name: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    code, out, _ = called("questions", documents, "--output", tmp_path / "drafts", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["drafted"], found["read_back"]) == ("templates", False)
    assert any("not installed" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--split", "halves"), 2, "--split: 'halves' is none of facts, documents, wordings"),
        (("--set", "rag.top_k=1"), 2, "--set goes with a recipe"),
        (("--engine", "nowhere"), 4, "--engine: nowhere: no such folder; give a server's URL"),
    ],
)
def test_what_cannot_be_used_is_named(
    documents: Path, called: Called, options: tuple[str, ...], code: int, message: str
) -> None:
    got, _, err = called("questions", documents, *options)
    assert (got, message in err) == (code, True), err
