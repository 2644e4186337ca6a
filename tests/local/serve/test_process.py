"""The command in a process of its own, as it is started and stopped by a person."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT

QUESTION = "How often does the bell ring?"


class Started:
    """``ragtune serve`` on a free port, ready."""

    def __init__(self, run: Path) -> None:
        paths = os.pathsep.join([str(ROOT / "local"), str(ROOT / "cloud")])
        program = "from ragtune.cli.app import main; main()"
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                program,
                "serve",
                str(run),
                "--port",
                "0",
                "--arm",
                "rag",
                "--json",
            ],
            env={**os.environ, "PYTHONPATH": paths},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        said = ""
        while not said.endswith("}\n"):
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            said += line
        self.api = json.loads(said)["api"]

    def ask(self) -> Any:
        body = {"model": "rag", "prompt": QUESTION}
        return httpx.post(f"{self.api}/completions", json=body, timeout=60, trust_env=False).json()

    def stop(self, number: int) -> tuple[int, str]:
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err


def test_told_to_stop_it_leaves_nothing_neither_of_one_that_was_killed(run: Path) -> None:
    left = run / ".open" / f"{dead()}-1"
    (left / "index-1").mkdir(parents=True)
    started = Started(run)
    try:
        assert started.ask()["choices"][0]["sources"][0]["document"] == "fog.md"
        assert not left.exists()
        assert len(list((run / ".open").iterdir())) == 1
    finally:
        code, err = started.stop(signal.SIGINT)
    assert (code, err.splitlines()[-1]) == (0, "stopped")
    assert list((run / ".open").iterdir()) == []


def dead() -> int:
    """The number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


@pytest.mark.long
def test_killed_it_starts_again_and_nothing_is_lost(run: Path) -> None:
    first = Started(run)
    try:
        before = first.ask()
        (left,) = (run / ".open").iterdir()
    finally:
        assert first.stop(signal.SIGKILL)[0] == -signal.SIGKILL
    assert left.exists()
    second = Started(run)
    try:
        assert second.ask()["choices"] == before["choices"]
        assert not left.exists()
    finally:
        assert second.stop(signal.SIGTERM)[0] == 0


def test_what_cannot_be_served_is_a_line(run: Path, called: Any, tmp_path: Path) -> None:
    assert called("serve", tmp_path)[0] == 6
    code, _, err = called("serve", run, "--arm", "gpt")
    assert code == 2
    assert err.startswith("error: --arm gpt: this run has base")
    code, _, err = called("serve", run, "--host", "192.0.2.1", "--token", "t")
    assert code == 2
    assert "another port may be free" in err
