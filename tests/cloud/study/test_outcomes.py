import subprocess
import sys
import time
from pathlib import Path

import pytest

from ragtune.core.errors import RunError
from ragtune.models.engines.base import Completion
from ragtune_cloud.study.outcomes import Outcomes

SIX = Completion("six — 六", [], 0.5, 0.0, 1)
FAILED = Completion("", [], 0.5, 0.0, 0, failed="424")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with an answer and a failure."""
    noted = Outcomes(tmp_path / "outcomes.jsonl")
    noted.put("a", SIX)
    noted.put("b", FAILED)
    return tmp_path / "outcomes.jsonl"


def test_a_kill_within_a_line_costs_that_line_alone_and_the_next_one_is_whole(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])
    noted = Outcomes(path)
    assert noted["a"] == SIX
    assert "b" not in noted
    noted.put("c", SIX)
    again = Outcomes(path)
    assert again["a"] == again["c"] == SIX


def test_failures_are_outcomes_until_they_are_to_be_asked_again(path: Path) -> None:
    noted = Outcomes(path)
    assert noted["b"] == FAILED
    noted.forget_failures()
    assert "b" not in noted
    assert "b" not in Outcomes(path)
    assert Outcomes(path)["a"] == SIX


def test_a_line_that_is_no_outcome_is_named(path: Path) -> None:
    path.write_text(path.read_text() + "[]\n")
    with pytest.raises(RunError, match="line 3 is no outcome"):
        Outcomes(path)


NOTING = """
import sys
from pathlib import Path
from ragtune.models.engines.base import Completion
from ragtune_cloud.study.outcomes import Outcomes

noted = Outcomes(Path(sys.argv[1]))
for number in range(1_000_000):
    noted.put(f"{number}", Completion("six " * 200, [], 0.5, 0.0, 200))
    print(number, flush=True)
"""


def test_what_was_noted_when_the_process_was_killed_is_there(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-c", NOTING, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(50)]
    time.sleep(0.01)
    process.kill()
    told += process.stdout.read().splitlines()[:-1]  # a line that was cut by the kill is none
    process.stdout.close()
    process.wait()
    noted = Outcomes(path)
    assert all(line.strip() in noted for line in told)
