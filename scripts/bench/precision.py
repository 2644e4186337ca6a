"""What bf16 changes in a run's answers: how many are the same, and by how much F1 differs.

Every arm's questions are answered in fp32 and in bf16, in batches and one at a time; the models are
those of the run, the prompts the same.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ragtune.core import offline
from ragtune.core.files import read_jsonl
from ragtune.models.engines.base import Completion
from ragtune.models.hardware import Hardware, probe
from ragtune.recipe.arms import Arm
from ragtune.results.metrics.answers import token_f1
from ragtune.results.statistics import gap_intervals
from ragtune.runs.open import OpenRun, open_run
from ragtune.sources.records import Record

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Answered:
    """One arm's answers in one precision, in batches and one at a time, and their F1."""

    together: list[Completion]
    alone: list[Completion]
    f1: list[float]

    @property
    def stable(self) -> int:
        """Answers that a batch does not change."""
        return same(self.together, self.alone)


def same(left: Sequence[Completion], right: Sequence[Completion]) -> int:
    """How many answers have the same tokens."""
    return sum(a.ids == b.ids for a, b in zip(left, right, strict=True))


def answered(folder: Path, hardware: Hardware, count: int | None) -> dict[Arm, Answered]:
    """The arms of a run, answered on some hardware."""
    with open_run(folder, alone=False) as run:
        run.materials.hardware = hardware
        return {name: _arm(run, name, count) for name in run.recipe.arms}


def _arm(run: OpenRun, name: Arm, count: int | None) -> Answered:
    arm, refusals = run.arm(name), run.recipe.study.all_refusals
    records = [Record(**row) for row in read_jsonl(run.folder.questions)[:count]]
    found = arm.retrieve(records)
    prompts = [arm.prompt(r, p) for r, p in zip(records, found, strict=True)]
    together = arm.complete(prompts, run.recipe.study.batch_size)
    f1 = [
        token_f1(one.text, record.references, refusals=refusals)
        for one, record in zip(together, records, strict=True)
    ]
    return Answered(together, arm.complete(prompts, 1), f1)


def table(exact: dict[Arm, Answered], half: dict[Arm, Answered]) -> str:
    """A Markdown table, a line an arm and one for all."""
    columns = (
        "arm",
        "questions",
        "batch as alone, fp32",
        "bf16",
        "bf16 as fp32",
        "F1 fp32",
        "bf16",
    )
    lines = [f"| {' | '.join(columns)} | more by |", "|---" + "|---:" * len(columns) + "|"]
    lines += [_line(name, [left], [half[name]]) for name, left in exact.items()]
    return "\n".join([*lines, _line("**all**", [*exact.values()], [*half.values()])])


def _line(name: str, exact: Sequence[Answered], half: Sequence[Answered]) -> str:
    left, right = (np.concatenate([one.f1 for one in side]) for side in (exact, half))
    gaps = right - left
    low, high = gap_intervals(gaps[:, None], 1)
    equal = sum(same(a.together, b.together) for a, b in zip(exact, half, strict=True))
    counts = (len(left), *(sum(one.stable for one in side) for side in (exact, half)), equal)
    cells = [name, *map(str, counts), f"{left.mean():.3f}", f"{right.mean():.3f}"]
    return f"| {' | '.join(cells)} | {gaps.mean():+.3f} ({low[0]:+.3f} to {high[0]:+.3f}) |"


def main() -> None:
    """Answer in both precisions and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="a finished run folder")
    parser.add_argument("--questions", type=int, help="only the first so many")
    options = parser.parse_args()
    offline.go_offline()
    hardware = probe()
    exact, half = (
        answered(options.run, replace(hardware, load_dtype=dtype), options.questions)
        for dtype in PRECISIONS
    )
    print(table(exact, half))


if __name__ == "__main__":
    main()
