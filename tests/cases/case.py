"""A case: questions as they are written, and answers of some arms that no model has given."""

import json
from pathlib import Path
from typing import Any

from ragtune.results.schema import Results
from ragtune.sources import fields
from ragtune.sources.records import Record
from tests.local.results.made_up import REFUSAL, write_run


def records(*rows: dict[str, Any]) -> list[Record]:
    """The rows as they are read."""
    return [Record(**fields.read(row, REFUSAL)) for row in rows]


def figures(
    folder: Path, questions: list[dict[str, Any]], answers: dict[str, list[str]]
) -> Results:
    """The figures of these answers, without passages."""
    return write_run(folder, tuple(answers), records(*questions), answers, [])


def shared(folder: Path, scratch: Path) -> Results:
    """The figures of a folder of ../shared/cases."""
    lines = (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    answers = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    return figures(scratch, [json.loads(line) for line in lines if line.strip()], answers)
