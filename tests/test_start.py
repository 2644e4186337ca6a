"""What is imported, and how long it takes, before the first question is asked."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

HEAVY = {
    *("torch", "transformers", "sentence_transformers", "peft", "accelerate", "datasets"),
    *("llama_index", "qdrant_client", "scipy", "pandas", "boto3", "botocore"),
}
IMPORT = "import ragtune"
HELP = """
import sys
from ragtune.cli.app import main
sys.argv = ["ragtune", "--help"]
try:
    main()
except SystemExit:
    pass
"""
OPEN = """
import sys
import ragtune
with ragtune.open(sys.argv[1]) as run:
    assert run.recipe.name and run.figures.questions
"""
SAY = "\nimport json, sys; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
PROGRAMS = {"import": IMPORT, "help": HELP, "open": OPEN}
SECONDS = {"import": 0.3, "help": 0.3, "open": 0.6}
"""Of a processor; three times as many fail."""


def child(program: str, *arguments: str) -> str:
    path = os.pathsep.join([str(ROOT / "local"), str(ROOT / "cloud")])
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def seconds(program: str, *arguments: str) -> float:
    """Processor time of a process: other processes do not lengthen it much."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    child(program, *arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_heavy_is_imported_before_it_is_needed(name: str, finished_run: Path) -> None:
    printed = child(PROGRAMS[name] + SAY, str(finished_run))
    loaded = HEAVY & set(json.loads(printed.splitlines()[-1]))
    assert loaded == set()


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_start_takes_its_time_and_no_more(name: str, finished_run: Path) -> None:
    taken = min(seconds(PROGRAMS[name], str(finished_run)) for _ in range(3))
    assert taken < 3 * SECONDS[name], f"{name}: {taken:.2f} s"


ASK = """
import sys
from ragtune.cli.app import main
sys.argv = ["ragtune", "ask", sys.argv[1], "How many lamps are there?", "--arm", sys.argv[2]]
try:
    main()
except SystemExit as stop:
    assert not stop.code
"""


@pytest.mark.parametrize("arm", ["rag", "tuned+rag"])
def test_a_question_is_answered_without_the_libraries_that_train(
    arm: str, finished_run: Path
) -> None:
    printed = child(ASK + SAY, str(finished_run), arm)
    loaded = set(json.loads(printed.splitlines()[-1]))
    assert "torch" in loaded
    assert loaded & (HEAVY - {"torch"}) == set()


LINKED = """
import gc
from ragtune.core.startup import link_torch, starting

thread = link_torch()
thread.join()
assert "libtorch_python" in open("/proc/self/maps").read()
with starting():
    assert not gc.isenabled()
    import torch
    assert link_torch() is None
assert gc.isenabled()
print(float(torch.ones(3).sum()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the import of PyTorch links it")
def test_pytorchs_libraries_are_linked_while_python_goes_on() -> None:
    assert child(LINKED).strip() == "3.0"
