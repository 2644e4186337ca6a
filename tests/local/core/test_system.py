import errno
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ragtune.cli import study
from ragtune.core import files, system
from ragtune.core.errors import RunError
from ragtune.models import unpacked
from ragtune.runs.open import open_run
from ragtune.runs.run import Run

Called = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    "name", ["ENOSPC", "EROFS", "ENOTDIR", "EACCES", "EDQUOT", "EMFILE", "ENAMETOOLONG"]
)
def test_what_the_system_refuses_is_one_line_and_exit_code_6(
    name: str, called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = getattr(errno, name)

    def refused(*_: object) -> None:
        raise OSError(number, os.strerror(number), "/somewhere/run")

    monkeypatch.setattr(study, "load_recipe", refused)
    code, out, err = called("run", "recipe.yaml")
    assert (code, out, err.count("\n")) == (6, "", 1)
    assert err.startswith("error: /somewhere/run: ")
    assert "unexpected" not in err


def test_a_librarys_own_words_are_understood_and_others_are_not() -> None:
    try:
        try:
            raise ValueError("I/O error: No space left on device (os error 28)")
        except ValueError as error:
            raise RuntimeError("cannot be saved") from error
    except RuntimeError as error:
        assert "the disk is full" in str(system.explain(error))
    many = shutil.Error([("a", "b/c", "[Errno 28] No space left on device")] * 100)
    assert str(system.explain(many)).startswith("b/c: the disk is full")
    assert system.explain(ValueError("a bug")) is None
    assert "memory" in str(system.explain(MemoryError()))


def test_a_path_that_is_shown_is_short_and_in_one_line() -> None:
    said = str(system.explain(OSError(errno.ENOSPC, "full", "/a\nb" + "x" * 5000)))
    assert "\n" not in said
    assert len(said) < 500


def test_room_is_looked_for_before_a_run_begins(
    project: Callable[..., Path], called: Called, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    code, _, err = called("run", project(), "--runs", tmp_path / "runs")
    assert code == 6
    assert "the disk is full: the run takes about 12" in err
    assert "1.0 MB are free" in err
    assert not (tmp_path / "runs").exists()


def _mount(*command: str) -> None:
    done = shutil.which("mount") and subprocess.run(command, capture_output=True, check=False)
    if not done or done.returncode:
        pytest.skip("no file system can be mounted here")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", str(place)]
    if (
        shutil.which("mount") is None
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_an_index_on_a_full_disk_ends_in_a_line_and_not_by_a_signal(small_disk: Path) -> None:
    from tests.local.retrieval.killing import update

    texts = {f"{n}.md": f"{n} " * 2000 for n in range(4)}
    with pytest.raises(RunError, match="the disk is full"):
        update(texts, small_disk / "index")


@pytest.fixture
def read_only(finished_run: Path, tmp_path: Path) -> Iterator[Path]:
    """A finished run on a file system that nobody may write."""
    place = tmp_path / "archive"
    files.copy_tree(finished_run, place / finished_run.name)
    shutil.copytree(finished_run.parent.parent / "project", tmp_path / "project")
    bind = ["mount", "--bind", str(place), str(place)]
    if (
        shutil.which("mount") is None
        or subprocess.run(bind, capture_output=True, check=False).returncode
    ):
        pytest.skip("no file system can be mounted here")
    subprocess.run(["mount", "-o", "remount,ro,bind", str(place)], check=True)
    yield place / finished_run.name
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_run_that_cannot_be_written_is_shown_and_searched(
    read_only: Path, called: Called
) -> None:
    code, out, err = called("report", read_only)
    assert code == 0, err
    assert out
    assert "as it was: the folder cannot be written" in err
    with open_run(read_only, alone=False) as opened:
        assert opened.search("harbour")
    with pytest.raises(RunError, match="read-only"), Run(read_only):
        pass


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes in folders here")
    os.mkfifo(tmp_path / "lock.json")
    for read in (files.read_json, files.read_jsonl, files.content_hash):
        with pytest.raises(RunError, match="not a file"):
            read(tmp_path / "lock.json")


def test_json_of_any_depth_is_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 200_000)
    with pytest.raises(RunError, match="cannot be read"):
        files.read_json(tmp_path / "deep.json")


def test_without_a_home_models_are_unpacked_where_only_this_user_can_write(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    place = unpacked.cached("model")
    assert place.is_relative_to(tmp_path)
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    monkeypatch.setattr(unpacked, "is_writable", lambda _: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "archive"))
    assert unpacked.cached("model") == place
    (tmp_path / "archive" / "ragtune" / "model").mkdir(parents=True)
    assert unpacked.cached("model") == tmp_path / "archive" / "ragtune" / "model"


def test_on_windows_readers_of_what_cannot_be_written_take_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "fcntl", None)  # as there
    held = files.share(tmp_path)
    with pytest.raises(RunError, match="in use by process"):
        files.share(tmp_path)  # readers take turns
    held.close()
    monkeypatch.setattr(system, "is_writable", lambda _: False)
    files.share(tmp_path).close()


def test_a_file_system_without_locks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> None:
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr("filelock.FileLock.acquire", none)
    with pytest.raises(RunError, match="cannot be taken: FileSystem does not"):
        files.own(tmp_path)
