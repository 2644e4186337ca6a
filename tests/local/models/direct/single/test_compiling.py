"""What is compiled is kept on disk, and is no error where that cannot be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from numba import config
from numba.core import caching

from ragtune.models.direct.single.compiling import begun


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Makes the same function again, as another process does, with a cache of the test's own."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "cache"))

    def make() -> Any:
        def twice(number: int) -> int:
            return 2 * number

        return begun(twice, (1,))

    return make


def kept(folder: Path) -> list[Path]:
    return sorted((folder / "cache").rglob("*.nbc"))


def test_the_next_process_finds_it(made: Callable[[], Any], tmp_path: Path) -> None:
    assert made()(4) == 8
    assert kept(tmp_path)
    again = made()
    assert sum(again.stats.cache_hits.values()) == 1


def test_files_that_are_cut_off_are_made_again(made: Callable[[], Any], tmp_path: Path) -> None:
    made()
    for path in kept(tmp_path):
        path.write_bytes(path.read_bytes()[:9])
    assert made()(4) == 8
    assert sum(made().stats.cache_hits.values()) == 1


def test_it_is_compiled_where_nothing_can_be_kept(
    made: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(caching.IndexDataCacheFile, "save", full)
    assert made()(4) == 8
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    assert made()(5) == 10
    assert not kept(tmp_path)
