import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ragtune.core import files
from ragtune.core.errors import RunError


def sparse(path: Path) -> Path:
    """A file of 8 MiB with three islands of data, one of them at an odd place."""
    with path.open("wb") as file:
        file.truncate(8 << 20)
        for offset in (0, (3 << 20) + 17, (8 << 20) - 5):
            file.seek(offset)
            file.write(b"12345")
    return path


def on_disk(path: Path) -> int:
    return sum(file.stat().st_blocks * 512 for file in path.rglob("*") if file.is_file())


def test_a_copy_keeps_holes_content_and_times(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    (source / "in").mkdir(parents=True)
    path = sparse(source / "in" / "x")
    (source / "empty").touch()
    (source / "dense").write_bytes(random.Random(0).randbytes(100_001))
    os.utime(path, (1, 1))
    files.copy_tree(source, target)
    for name in ("in/x", "empty", "dense"):
        assert (target / name).read_bytes() == (source / name).read_bytes()
    assert (target / "in" / "x").stat().st_mtime == 1
    assert on_disk(target) < 1 << 20


def test_a_dense_source_is_made_sparse_and_names_are_left_out(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    (source / "in").mkdir(parents=True)
    (source / "zeros").write_bytes(bytes(4 << 20))
    (source / "in" / ".owner").write_text("7")
    files.copy_tree(source, target, leave_out=[".owner"])
    assert (target / "zeros").read_bytes() == bytes(4 << 20)
    assert on_disk(target) < 1 << 20
    assert list((target / "in").iterdir()) == []
    with pytest.raises(FileExistsError):
        files.copy_tree(source, target)


@pytest.mark.parametrize("holes", ["known", "not known"])
def test_a_sparse_file_and_its_dense_copy_hash_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holes: str
) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    path, dense = sparse(folder / "sparse"), folder / "dense"
    dense.write_bytes(path.read_bytes())
    expected = files.content_hash(path)
    if holes == "not known":
        monkeypatch.delattr(os, "SEEK_DATA")
    assert files.content_hash(path) == files.content_hash(dense) == expected
    files.copy_tree(folder, tmp_path / "b")
    assert files.content_hash(tmp_path / "b" / "sparse") == expected


def test_the_hash_follows_size_place_and_content(tmp_path: Path) -> None:
    block = files.BLOCK
    contents = [b"", b"\0", bytes(block), bytes(block + 1), b"a", b"a\0", b"\0a"]
    contents += [b"a" + bytes(block), bytes(block) + b"a", bytes(2 * block) + b"a"]
    found = set()
    for number, content in enumerate(contents):
        (tmp_path / str(number)).write_bytes(content)
        found.add(files.content_hash(tmp_path / str(number)))
    assert len(found) == len(contents)
    with pytest.raises(RunError, match="missing"):
        files.content_hash(tmp_path / "none")


def test_a_folder_has_one_owner_and_the_message_names_it(tmp_path: Path) -> None:
    owner = files.own(tmp_path / "a")
    with pytest.raises(RunError, match=f"a: in use by process {os.getpid()}; wait for it or stop"):
        files.own(tmp_path / "a")
    owner.close()
    owner.close()
    files.own(tmp_path / "a").close()


def test_another_process_is_named_and_its_end_gives_the_folder_back(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ragtune.core.files import own\n"
        "kept = own(Path(sys.argv[1])); print('has it', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdout.readline()
    with pytest.raises(RunError, match=f"in use by process {child.pid};"):
        files.own(tmp_path)
    child.kill()
    child.communicate()
    files.own(tmp_path).close()
    shutil.rmtree(tmp_path)


def test_readers_share_a_folder_that_nobody_owns(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be read"):
        files.share(tmp_path / "none")
    files.own(tmp_path).close()
    first, second = files.share(tmp_path), files.share(tmp_path)
    first.close()
    with pytest.raises(RunError, match=f"in use by process {os.getpid()}"):
        files.own(tmp_path)
    second.close()
    second.close()
    owner = files.own(tmp_path)
    with pytest.raises(RunError, match=f"in use by process {os.getpid()}"):
        files.share(tmp_path)
    owner.close()
    files.share(tmp_path).close()
