"""Runs over the same document: together they need little of a disk."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from ragtune.runs import defaults
from ragtune.runs.pipeline import Pipeline
from tests.conftest import write_jsonl

RUNS, MEGABYTES = 6, 10


def allocated(folder: Path) -> int:
    """Bytes that the files of a folder occupy on the disk; those with two names count once."""
    files = {(s.st_dev, s.st_ino): s for p in folder.rglob("*") if p.is_file() for s in [p.stat()]}
    return sum(file.st_blocks * 512 for file in files.values())


@pytest.fixture
def disk() -> Iterator[Path]:
    """A folder on a disk: a file system in memory gives files all that is set aside for them."""
    with TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def test_an_index_of_one_short_document_takes_little_in_each_run(disk: Path) -> None:
    (disk / "docs").mkdir()
    (disk / "docs" / "fog.md").write_text("The fog horn is red.")
    asked = {"instruction": "What colour is the horn?", "context": "", "response": "red"}
    write_jsonl(disk / "records.jsonl", [asked | {"instruction": f"{n}?"} for n in range(6)])
    recipe = {
        "name": "siblings",
        "model": {"local": "builtin"},
        "records": {"source": "records.jsonl"},
        "documents": {"source": "docs"},
        "study": {"arms": ["rag"], "max_new_tokens": 2, "latency_questions": 1},
    }
    path = disk / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe))
    Pipeline(defaults.load(path), disk / "run").execute()
    assert allocated(disk / "run") * RUNS < MEGABYTES * 1e6
