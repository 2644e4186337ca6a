"""Updates of an index: small, exact, and safe to kill at any point."""

import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ragtune.core.files import content_hash
from ragtune.retrieval import index
from ragtune.retrieval.manifest import Manifest
from tests.local.retrieval import killing

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.local.retrieval.killing"])
SHM = Path("/dev/shm")

texts = st.integers(0, 9).map(
    lambda n: " ".join(f"Sentence {k} of version {n} has eight words." for k in range(1 + 2 * n))
)
folders = st.dictionaries(st.sampled_from(["a.md", "b.md", "c d.md", "é.md"]), texts, min_size=1)
turns = st.lists(st.tuples(folders, st.none() | st.integers(1, 40)), min_size=1, max_size=4)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory where there is one: an update flushes to the disk many times."""
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as folder:
        yield Path(folder)


def run(target: Any, *arguments: Any) -> int:
    process = PROCESSES.Process(target=target, args=arguments)
    process.start()
    process.join()
    assert process.exitcode is not None
    return int(process.exitcode)


@settings(
    max_examples=int(os.environ.get("RAGTUNE_SEQUENCES", "5")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(turns, folders)
def test_any_sequence_of_changes_and_kills_ends_as_an_index_from_scratch(
    place: Path, sequence: list[killing.Turn], last: dict[str, str]
) -> None:
    shutil.rmtree(place / "index", ignore_errors=True)
    rest = [*sequence, (last, None)]
    while rest:
        upto = next((n for n, (_, step) in enumerate(rest) if step is not None), len(rest) - 1)
        code = run(killing.play, rest[: upto + 1], place / "index")
        assert code in ((0,) if rest[upto][1] is None else (0, -signal.SIGKILL))
        rest = rest[upto + 1 :]


@pytest.mark.parametrize("milliseconds", [8, 25, 60])
def test_an_update_killed_at_any_moment_is_made_good_by_the_next(
    place: Path, milliseconds: int
) -> None:
    before = {f"{n}.md": f"Old sentence {n} stands here." for n in range(30)}
    after = {f"{n}.md": f"New sentence {n} stands here." for n in range(15, 45)}
    assert run(killing.play, [(before, None)], place / "index") == 0
    ended = run(killing.killed_after, after, place / "index", milliseconds / 1000)
    assert ended in (0, -signal.SIGALRM)
    assert run(killing.play, [(after, None)], place / "index") == 0


def test_only_what_changed_is_read_and_embedded_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {f"{n}.md": f"Sentence {n} stands here." for n in range(50)}
    killing.update(before, place / "index")
    embedded: list[str] = []

    class Counting(killing.Words):
        def embed(self, texts: Any) -> list[list[float]]:
            embedded.extend(texts)
            return super().embed(texts)

    monkeypatch.setattr(killing, "Words", Counting)
    changed = {**before, "7.md": "Another sentence stands here.", "new.md": "A new one."}
    del changed["8.md"]
    killing.update(changed, place / "index")
    assert sorted(embedded) == ["A new one.", "Another sentence stands here."]
    manifest = Manifest.load(place / "index")
    assert manifest is not None
    assert manifest.points == 50
    killing.update(changed, place / "index")
    assert len(embedded) == 2


def test_an_index_costs_the_seconds_of_all_its_updates(place: Path) -> None:
    def held() -> Manifest:
        manifest = Manifest.load(place / "index")
        assert manifest is not None
        return manifest

    started = time.perf_counter()
    killing.update({"a.md": "One."}, place / "index")
    manifest = held()
    assert 0 < manifest.seconds <= time.perf_counter() - started
    manifest.seconds = 100.0
    manifest.save(place / "index")
    started = time.perf_counter()
    killing.update({"a.md": "Two."}, place / "index")
    assert 100 < held().seconds <= 100.001 + time.perf_counter() - started
    before = held().seconds
    killing.update({"a.md": "Two."}, place / "index")
    assert held().seconds == before


def test_status_names_what_is_stale_and_changes_nothing(place: Path) -> None:
    killing.update({"a.md": "One.", "b.md": "Two.", "c.md": "Three."}, place / "index")
    corpus = killing.corpus({"a.md": "One.", "b.md": "Other.", "d.md": "Four."})
    changes = index.status(corpus, place / "index")
    assert (changes.added, changes.changed, changes.removed) == (["d.md"], ["b.md"], ["c.md"])
    assert str(changes) == "1 added, 1 changed, 1 removed, 1 unchanged"
    assert index.status(corpus, place / "index") == changes
    assert index.status(corpus, place / "none").added == ["a.md", "b.md", "d.md"]


def test_a_text_that_the_index_held_is_not_embedded_again(place: Path) -> None:
    class Counting(killing.Words):
        """Keeps what it is given."""

        def __init__(self) -> None:
            self.seen: list[str] = []

        def embed(self, texts: Sequence[str]) -> list[list[float]]:
            self.seen += texts
            return super().embed(texts)

    def embedded(texts: dict[str, str]) -> list[str]:
        words: Any = Counting()
        corpus = killing.corpus(texts)
        index.update(corpus, killing.RAG, words, fingerprint="f", folder=place / "index")
        return list(words.seen)

    kept = [f"Sentence number {n} of a page has nine whole words." for n in range(6)]
    page = " ".join(kept)
    first = embedded({"page.md": page, "copy.md": page})
    assert len(first) == len(set(first)) == 6
    assert embedded({"page.md": page.replace("number 3", "number 33"), "copy.md": page}) == [
        kept[3].replace("number 3", "number 33")
    ]
    assert embedded({"page.md": page, "renamed.md": page}) == []
    assert killing.content(place / "index") == killing.content(fresh(place, page))


def fresh(place: Path, page: str) -> Path:
    killing.update({"page.md": page, "renamed.md": page}, place / "fresh")
    return place / "fresh"


def test_opening_an_index_changes_no_byte_of_it(place: Path) -> None:
    folder = place / "index"

    def hashes() -> dict[Path, str]:
        files = [path for path in folder.rglob("*") if path.is_file()]
        return {p: content_hash(p) for p in files if not p.name.startswith(".owner")}

    for texts in ({"a.md": "One.", "b.md": "Two."}, {"a.md": "One.", "c.md": "Three."}):
        killing.update(texts, folder)
        before = hashes()
        killing.content(folder)
        assert hashes() == before
