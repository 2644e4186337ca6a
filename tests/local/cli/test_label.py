"""``ragtune label``: a person at a terminal, and lines from a pipe."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ragtune.core.run_folder import RunFolder
from ragtune.recipe import file as recipe_file
from ragtune.results.agreement import marks
from ragtune.runs.pipeline import Pipeline

pty = pytest.importorskip("pty")
PROMPT = "right? (y right, n wrong, s skip, q stop)"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[..., Path]) -> Path:
    """A finished run of the tiny project; its marks are what the test before left."""
    root = tmp_path_factory.mktemp("labelled")
    recipe = recipe_file.load(make_project(root / "project"))
    folder = root / "runs" / recipe.run_name
    Pipeline(recipe, folder).execute()
    return folder


@pytest.fixture(autouse=True)
def _unmarked(run: Path) -> None:
    RunFolder(run).labels.unlink(missing_ok=True)


def _as_at_a_terminal() -> None:
    """Let Ctrl-C interrupt, also where the tests themselves run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """The command at a terminal of its own, read as a person would."""

    def __init__(self, *arguments: str) -> None:
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "ragtune", *arguments],
            stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
            preexec_fn=_as_at_a_terminal,  # noqa: PLW1509, the tests run no thread
        )  # fmt: skip
        os.close(theirs)
        self.said = ""

    def until(self, words: str, seconds: float = 120) -> str:
        """Everything up to these words."""
        end = time.monotonic() + seconds
        while words not in self.said:
            assert time.monotonic() < end, self.said
            self._read()
        before, _, self.said = self.said.partition(words)
        return before

    def press(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def close(self) -> int:
        """Read on to the end; the exit code."""
        with contextlib.suppress(OSError):
            while True:
                self._read()
        os.close(self.ours)
        return self.process.wait(timeout=60)

    def _read(self) -> None:
        if not select.select([self.ours], [], [], 60)[0]:
            self.process.kill()
            raise AssertionError(f"nothing more was said after {self.said!r}")
        data = os.read(self.ours, 65536)
        if not data:
            raise OSError("closed")
        self.said += data.decode(errors="replace")


def test_at_a_terminal_one_key_is_enough_and_the_arm_is_hidden(run: Path) -> None:
    person = Terminal("label", str(run))
    shown = person.until(PROMPT)
    assert "1 of " in shown
    for word in ("Question:", "Reference:", "Answer:"):
        assert word in shown
    for arm in ("base", "tuned", "rag"):
        assert arm not in shown.split("Question:")[1]
    person.press("x")
    assert "'x' is none of them" in person.until(PROMPT)
    person.press("y")
    person.until(PROMPT)
    person.press("n")
    person.until(PROMPT)
    assert [mark.right for mark in marks(RunFolder(run))] == [True, False]
    person.press("q")
    assert person.close() == 0
    assert "A person marked 2 answers without seeing the arm: 1 right" in " ".join(
        person.said.split()
    )
    assert "What a person says" in (run / "report.html").read_text(encoding="utf-8")


def test_ctrl_c_loses_no_mark_and_the_same_command_goes_on(run: Path) -> None:
    person = Terminal("label", str(run))
    person.until(PROMPT)
    person.press("y")
    person.until(PROMPT)
    person.process.send_signal(signal.SIGINT)
    assert person.close() == 130
    assert len(marks(RunFolder(run))) == 1
    again = Terminal("label", str(run))
    assert "2 of " in again.until(PROMPT)
    again.press("q")
    assert again.close() == 0


def test_lines_from_a_pipe_do_as_well(run: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "ragtune", "label", str(run), "--json"],
        input="y\nskip\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert (found["marked"], found["right"], found["skipped"]) == (1, 1, 1)
    assert [*found["by"]][:2] == ["right", "token_f1"]
    assert f"report: {run / 'report.html'}" in done.stderr


def test_marks_are_no_damage_and_survive_the_report(
    run: Path, called: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = called("report", str(run))
    assert (code, "A person marked" in out) == (0, False)
    subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "ragtune", "label", str(run), "--count", "1"],
        input="n\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    labels = RunFolder(run).labels
    labels.write_text(labels.read_text().replace("false", "true"))  # a person may edit it
    code, out, err = called("report", str(run), "--details")
    assert code == 0, err
    assert "A person marked 1 answers" in out
    assert len(marks(RunFolder(run))) == 1
