"""What surrounds a command: terminals of ASCII alone, too many processes, no ordinary files."""

import io
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ragtune.core.files import copy_tree
from ragtune.sources import sample
from tests.conftest import exit_code

Called = Callable[..., tuple[int, str, str]]


class Ascii(io.TextIOWrapper):
    """A terminal as PYTHONIOENCODING=ascii makes it: strict, and without a letter beyond."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="ascii", errors="strict", write_through=True)

    def said(self) -> str:
        self.flush()
        held = self.buffer
        assert isinstance(held, io.BytesIO)
        return held.getvalue().decode("utf-8")  # as click writes where it finds only ASCII


Shown = Callable[..., tuple[int, str, str]]


@pytest.fixture
def in_ascii(called: Called, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Run the command with streams of ASCII: its exit code, stdout and stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        out, err = Ascii(), Ascii()
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        try:
            code = exit_code(monkeypatch, arguments)
        finally:
            monkeypatch.undo()
        return code, out.said(), err.said()

    return call


VERBS = {
    "report": ["report", "{run}"],
    "report, details": ["report", "{run}", "--details"],
    "report, JSON": ["report", "{run}", "--json"],
    "search": ["search", "{run}", "Öffnet der Häfen — wann? 港"],
    "search, JSON": ["search", "{run}", "Öffnet — wann? 港", "--json"],
    "ask": ["ask", "{run}", "When does the harbour — 港 — open?", "--arm", "rag"],
    "check": ["check", "{recipe}"],
    "preview": ["preview", "{recipe}"],
    "index": ["index", "{whole}", "--status"],
    "compare": ["compare", "{run}", "{whole}"],
    "help": ["--help"],
    "an error": ["check", "ä—港.yaml"],
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_terminal_of_ascii_alone_ends_no_verb_in_an_error(
    finished_run: Path, tmp_path: Path, in_ascii: Shown, verb: str
) -> None:
    copy_tree(finished_run, tmp_path / finished_run.name)
    places = {
        "{whole}": str(finished_run),
        "{run}": str(tmp_path / finished_run.name),
        "{recipe}": str(finished_run.parent.parent / "project" / "recipe.yaml"),
    }
    code, out, err = in_ascii(*(places.get(word, word) for word in VERBS[verb]))
    assert "unexpected error" not in err
    assert "Traceback" not in err
    if verb == "an error":
        assert (code, out) == (2, "")
        assert "no such recipe" in err
    else:
        assert code == 0, err
        assert out + err
    if "JSON" in verb:
        json.loads(out)


def test_more_processes_than_cores_are_refused_before_any_is_started(
    project: Callable[..., Path], called: Called, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    monkeypatch.setattr("subprocess.Popen", None)
    runs = tmp_path / "runs"
    code, out, err = called("tune", project(), "--runs", runs, "--processes", 100)
    assert (code, out) == (2, "")
    assert "--processes: 100, but this machine has 2 processor cores; allowed: 1 to 2" in err
    assert not runs.exists()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def listening(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


KINDS = {"a named pipe": pipe, "a device": device, "a socket": listening}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_ordinary_file_is_named_and_never_read(
    project: Callable[..., Path], called: Called, kind: str
) -> None:
    path = project()
    KINDS[kind](path.parent / "odd.txt")
    KINDS[kind](path.parent / "docs" / "odd.md")
    code, _, err = called("check", path, "--set", "study.general_text=odd.txt")
    assert code == 2
    assert f"odd.txt: is {kind}; name a text file" in err
    KINDS[kind](path.parent / "odd.jsonl")
    code, _, err = called("check", path, "--set", "records.source=odd.jsonl")
    assert code == 3
    assert f"is {kind}; records are read from" in err
    code, out, err = called("check", path)
    assert code == 0, err
    assert "odd.md" in out + err
    assert sample.of_folder(path.parent / "docs")  # which is read before the folder is listed


@pytest.mark.parametrize("field", ["rag.embedder", "rag.rerank"])
def test_an_encoder_with_code_of_its_own_is_refused_by_check(
    project: Callable[..., Path], called: Called, tmp_path: Path, field: str
) -> None:
    folder = tmp_path / "encoder"
    folder.mkdir()
    config = {"model_type": "bert", "auto_map": {"AutoModel": "mine.Mine"}}
    (folder / "config.json").write_text(json.dumps(config))
    kinds = ["sentence_transformers.models.Transformer", "mine.Pooling"]
    modules = [{"idx": n, "name": str(n), "path": "", "type": kind} for n, kind in enumerate(kinds)]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "mine.py").write_text("raise SystemExit('it was run')")
    code, _, err = called("check", project(), "--set", f"{field}={folder}")
    assert code == 4
    assert "code from a model's folder is not run" in err
