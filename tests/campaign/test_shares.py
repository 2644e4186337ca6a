"""Small shares of the campaigns whose whole takes minutes: kills, tampering, environments."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ragtune.core.files import copy_tree
from scripts.campaign import environments, tampering
from scripts.campaign.tally import Tally, fault

Called = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2]
CODE = """
import json
from ragtune.core.files import copy_tree
from scripts.campaign import environments, kills, tampering
print(json.dumps([vars(kills.campaign(2, 3)), vars(tampering.campaign(3, 3))]))
"""


@pytest.mark.long
def test_kills_and_tampering_leave_the_right_result_or_one_line() -> None:
    """In a process of its own, for it forks."""
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "local", ROOT)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tallies = [Tally(**one) for one in json.loads(done.stdout.splitlines()[-1])]
    assert [tally.tried for tally in tallies] == [2, 3]
    assert [tally.failures for tally in tallies] == [{}, {}]


READ = ["lock.json: gone", "lock.json: a pipe", "index: a file", ".owner: bytes", ".open: a file"]


@pytest.mark.parametrize("kind", READ)
def test_what_was_tampered_with_is_shown_right_or_refused_in_a_line(
    finished_run: Path, tmp_path: Path, kind: str, called: Called
) -> None:
    copy_tree(finished_run, tmp_path / finished_run.name)
    tampering.attempts()[kind](tmp_path / finished_run.name)
    code, _, err = called("report", tmp_path / finished_run.name)
    assert fault(code, err) == ""


@pytest.mark.parametrize("name", ["a newline", "markup", "percent", "a dash first"])
def test_a_path_with_odd_letters_is_read(
    finished_run: Path, tmp_path: Path, name: str, called: Called
) -> None:
    inside = tmp_path / environments.ODD[name]
    copy_tree(finished_run, inside / finished_run.name)
    code, out, err = called("report", inside / finished_run.name)
    assert (code, fault(code, err)) == (0, "")
    assert out
    shutil.rmtree(inside)
