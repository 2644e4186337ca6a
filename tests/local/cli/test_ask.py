import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

Called = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def run(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("asked") / "tree"
    shutil.copytree(finished_run.parent.parent, tree)
    return tree / "runs" / finished_run.name


def test_without_a_question_there_is_a_prompt_with_one_load(
    run: Path, called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        "How often does the bell ring?",
        "/sources",
        "/arm base",
        "/arms",
        "Who?",
        "/sources",
        "/arm gpt",
        "/what",
        "/quit",
        "never asked",
    ]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))
    code, out, err = called("ask", run, "--arm", "rag")
    assert code == 0
    assert "[1] fog.md Fog\n" in out
    assert "In fog the bell rings twice." in out
    assert "* base" in out
    assert err.count("loading") == 2
    assert "the last answer has no sources" in err
    assert "--arm gpt: this run has" in err
    assert "/arm NAME asks another arm" in err


def test_the_prompt_says_when_the_index_is_behind(
    run: Path, called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = run.parent.parent / "project" / "docs" / "new.md"
    document.write_text("# New\n\nA new pier.\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("/quit\n"))
    try:
        code, _, err = called("ask", run, "--arm", "base")
    finally:
        document.unlink()
    assert code == 0
    assert "the index is behind its documents (1 added); `ragtune index" in err


def test_a_question_is_answered_and_a_refusal_is_one_in_json(
    run: Path, called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = called("ask", run, "Who?", "--arm", "rag", "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["index"]["documents"] == 6
    assert answer["refused"] is bool(answer["reason"])
    refusing = "ragtune.models.engines.local.LocalEngine._completion"
    from ragtune.models.engines.base import Completion

    said = Completion("There is no information about this.", [1], 0.1, 0.1, 1)
    monkeypatch.setattr(refusing, lambda *_: said)
    answer = json.loads(called("ask", run, "Who?", "--arm", "base", "--json")[1])
    assert answer["refused"] is True
    assert answer["reason"] == "the model says that it has no answer"


def test_json_needs_a_question(run: Path, called: Called) -> None:
    code, _, err = called("ask", run, "--json")
    assert (code, err) == (2, "error: --json goes with a question\n")
