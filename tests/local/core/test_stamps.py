import os
import time
from pathlib import Path

import pytest

from ragtune.core import stamps
from ragtune.core.handover import Handover


def test_another_content_of_the_same_size_and_time_is_another_stamp(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one")
    before = file.stat()
    time.sleep(0.05)  # more than a tick of the system's clock
    file.write_text("two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert stamps.stamp(file.stat()) != stamps.stamp(before)


def test_a_replaced_file_has_another_stamp(tmp_path: Path) -> None:
    file, other = tmp_path / "a.txt", tmp_path / "b.txt"
    file.write_text("one")
    other.write_text("two")
    before = file.stat()
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)
    assert stamps.stamp(file.stat()) != stamps.stamp(before)


def test_a_stamp_is_trusted_only_when_it_is_older_than_a_tick(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one")
    noted = stamps.stamp(file.stat())
    changed = noted[2] / 1e9
    assert not stamps.is_settled(noted, changed + 0.5)
    assert stamps.is_settled(noted, changed + 60)
    assert not stamps.is_settled(noted, changed - 60), "from a clock that is ahead"
    assert stamps.settled([file]) is None
    assert stamps.settled([tmp_path / "missing"]) is None


def test_what_is_made_of_files_serves_the_next_who_asks_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamps, "SETTLED", -60.0)
    file = tmp_path / "a.txt"
    file.write_text("one")
    kept: Handover[list[str]] = Handover()

    def make() -> list[str]:
        return [file.read_text()]

    first = kept.get(1, [file], make)
    assert kept.get(1, [file], make) is first
    assert kept.get(1, [file], make) is not first, "let go of after the second"
    assert kept.get(2, [file], make) is not kept.get(1, [file], make)
    file.write_text("another")
    assert kept.get(1, [file], make) == ["another"]


def test_what_is_made_of_files_that_are_too_new_is_made_again(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one")
    kept: Handover[object] = Handover()
    assert kept.get(1, [file], object) is not kept.get(1, [file], object)
