"""What other systems refuse: open files of Windows, drives, and what is in a folder's place."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.core import files, moves, system
from ragtune.core.errors import RunError


def held(times: int, number: int = 32) -> tuple[Callable[..., None], list[int]]:
    """A call that Windows refuses so often, as it does while another program has the file open."""
    left = [times]

    def refused(*_: object, **__: object) -> None:
        if left[0]:
            left[0] -= 1
            error: Any = PermissionError(13, "used by another process", "a")
            error.winerror = number
            raise error

    return refused, left


@pytest.mark.parametrize("number", [5, 32, 33])
def test_a_rename_over_an_open_file_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    refused, left = held(3, number)
    rename = os.replace

    def replace(source: str, target: str) -> None:
        refused()
        rename(source, target)

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(moves, "_PAUSE", 0.0)
    files.write_json(tmp_path / "a.json", {"a": 1})
    assert left == [0]
    assert files.read_json(tmp_path / "a.json") == {"a": 1}


def test_one_that_stays_open_is_named_in_a_line_and_the_file_is_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write_json(tmp_path / "a.json", 1)
    monkeypatch.setattr(os, "replace", held(10**9)[0])
    monkeypatch.setattr(moves, "PATIENCE", 0.05)
    with pytest.raises(RunError, match=r"a\.json: another program has it open; close it"):
        files.write_json(tmp_path / "a.json", 2)
    assert files.read_json(tmp_path / "a.json") == 1
    (tmp_path / "b").mkdir()
    monkeypatch.setattr(shutil, "rmtree", held(10**9)[0])
    with pytest.raises(RunError, match="b: another program has it open"):
        moves.remove_folder(tmp_path / "b")


def test_a_refusal_for_want_of_rights_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def replace(*_: object) -> None:
        tries.append(1)
        raise PermissionError(13, "Permission denied", "a")

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(PermissionError):
        files.write_json(tmp_path / "a.json", 2)
    assert len(tries) == 1


def test_windows_own_numbers_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: Any = PermissionError(13, "used by another process", "a")
    opened.winerror = 32
    assert str(system.explain(opened)).startswith("a: in use by another program")
    monkeypatch.setattr("sys.platform", "win32")
    assert "the disk is full" in str(system.explain(ValueError("(os error 112)")))
    assert system.explain(ValueError("(os error 28)")) is None  # another thing there


def test_what_is_no_folder_but_in_its_place_is_removed_and_nothing_above(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    kinds: dict[str, Callable[[Path], object]] = {
        "file": Path.touch,
        "nowhere": lambda path: path.symlink_to("gone"),
        "circle": lambda path: path.symlink_to(path.name),
        "pipe": os.mkfifo,
    }
    for name, kind in kinds.items():
        kind(run / name)
        moves.make_folder(run / name / "in" / "it", run)
        assert (run / name / "in" / "it").is_dir()
    (tmp_path / "other").touch()
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        moves.make_folder(tmp_path / "other" / "a", tmp_path / "other")
    assert (tmp_path / "other").is_file()


def test_a_way_has_slashes_and_between_drives_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert moves.relative(tmp_path / "a" / "b", tmp_path / "c") == "../a/b"

    def drives(*_: object) -> str:
        raise ValueError("path is on mount 'C:', start on mount 'D:'")

    monkeypatch.setattr(os.path, "relpath", drives)
    assert moves.relative(tmp_path / "a", tmp_path) == (tmp_path / "a").resolve().as_posix()
    monkeypatch.setattr(os.path, "relpath", lambda *_: "..\\a\\b")
    monkeypatch.setattr(os, "sep", "\\")
    assert moves.relative(tmp_path, tmp_path) == "../a/b"


def test_a_folder_whose_name_is_not_utf_8_is_named_before_anything_is_made(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"a\xff") / "run"
    with pytest.raises(RunError, match=r"a\\xff/run: its name is not valid UTF-8") as caught:
        files.own(folder)
    str(caught.value).encode()
    assert not folder.parent.exists()
