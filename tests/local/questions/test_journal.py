from pathlib import Path

import pytest

from ragtune.core.errors import DocumentsError
from ragtune.questions.journal import FILE, Drafted, Journal
from ragtune.questions.row import Row

KEY = {"seed": 0, "documents": "abc"}
DONE = Drafted("a.md", [Row("What does a pass cost?", "5 crowns", document="a.md")], {}, 2)


def test_what_was_drafted_is_there_again(tmp_path: Path) -> None:
    Journal(tmp_path, KEY).add([DONE])
    assert Journal(tmp_path, KEY).done == {"a.md": DONE}


def test_a_line_that_a_kill_cut_is_cut_off(tmp_path: Path) -> None:
    Journal(tmp_path, KEY).add([DONE])
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes() + b'{"document": "b.md", "ro')
    journal = Journal(tmp_path, KEY)
    journal.add([Drafted("c.md", [], {"names nothing": 1}, 1)])
    assert list(Journal(tmp_path, KEY).done) == ["a.md", "c.md"]


def test_other_settings_are_named(tmp_path: Path) -> None:
    Journal(tmp_path, KEY)
    with pytest.raises(DocumentsError, match=r"other settings \(seed\).*--again"):
        Journal(tmp_path, {**KEY, "seed": 1})
