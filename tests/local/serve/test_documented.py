"""The programs of docs/serve.md, run as they are written there."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.local.serve.conftest import Served

PROGRAMS = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "serve.md").read_text(encoding="utf-8"), re.S
)


def cell(program: str, names: dict[str, Any]) -> Any:
    """Run a notebook's cell; the value of its last line."""
    *body, last = ast.parse(program).body
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    assert isinstance(last, ast.Expr)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def test_openais_client(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = [text for text in PROGRAMS if "openai" in text]
    assert program in (ROOT / "README.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(program.replace("http://127.0.0.1:8080", served.url), names)
    names["client"].close()
    assert ".md" in capsys.readouterr().out.splitlines()[-1]


def test_a_notebook_shows_the_run_and_its_answers(
    run: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    first, second = [text for text in PROGRAMS if "openai" not in text]
    monkeypatch.chdir(run.parent.parent / "project")
    own = f'"recipe.yaml", ["tune.epoch=1"], {str(run.parent)!r}'
    names: dict[str, Any] = {}
    shown = cell(first.replace('"recipe.yaml"', own), names)
    try:
        shown_while_running = capfd.readouterr()
        assert "freshness: made" in shown_while_running.out
        assert "freshness: " in shown_while_running.err
        assert "<table>" in shown._repr_html_()
        answer = cell(second, names)
        assert answer["sources"]
        assert "<ol><li>" in answer._repr_html_()
    finally:
        names["run"].close()
