"""The shortest recipe, whole: what a newcomer with documents and forty records is told."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from ragtune.results.schema import Results
from tests.conftest import ROOT

RECIPE = ROOT / "tests/data/helpdesk/recipe.yaml"
MINUTES = 6
CORES = 2
PROGRAM = "from ragtune.cli.app import main; main()"
UNTRAINED = {"few_steps", "loss_unmoved", "answers_unchanged"}


def processor_seconds() -> float:
    """Of the processes that ended: other work on the machine hardly changes them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_forty_records_and_their_documents_end_in_a_verdict_for_retrieval(tmp_path: Path) -> None:
    before = processor_seconds()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OMP_")}
    subprocess.run(
        [sys.executable, "-c", PROGRAM, "run", str(RECIPE), "--runs", str(tmp_path), "--offline"],
        env=environment,
        check=True,
    )
    spent = processor_seconds() - before
    (run,) = tmp_path.iterdir()
    figures = Results.load(run / "results.json")
    assert figures.recommendation.arm == "rag"
    assert figures.recall["tuned"].right >= 0.8 * figures.recall["tuned"].questions
    assert not {fault.kind for fault in figures.faults} & UNTRAINED
    assert spent < 2 * MINUTES * 60 * CORES
