import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import RunError
from ragtune.core.files import read_json, read_jsonl, write_json, write_jsonl, write_text
from ragtune.core.progress import Silent
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune.runs.materials import Materials
from ragtune.runs.run import Made, Run
from ragtune.runs.stage import Stage, Work
from ragtune.runs.view import UndeclaredRead


class Killed(BaseException):
    """A kill: nothing catches it."""


class Listening(Silent):
    """Keeps what was said."""

    def __init__(self) -> None:
        self.lines = list[str]()

    def say(self, line: str) -> None:
        self.lines.append(line)


class Two(Stage):
    """Writes the seed into a folder and a file."""

    name = "two"
    fields: tuple[str, ...] = ("seed",)

    def __init__(self, before: Callable[[Work], None] = lambda work: None) -> None:
        self.calls, self.before = 0, before

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        return [folder.adapter("tuned"), folder.heldout]

    def make(self, work: Work) -> None:
        self.calls += 1
        self.before(work)
        text = str(work.recipe.seed)
        adapter = work.out.adapter("tuned")
        adapter.mkdir(exist_ok=True)
        (adapter / "x").write_text(text)
        write_text(work.out.heldout, text)


class After(Stage):
    """Reads what `Two` wrote."""

    name = "after"
    after = ("two",)

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        return [folder.forgetting]

    def make(self, work: Work) -> None:
        write_text(work.out.forgetting, work.run.heldout.read_text())


def recipe(seed: int = 1) -> Recipe:
    return Recipe.model_validate({"name": "r", "records": {"source": "r"}, "seed": seed})


def made(run: Run, stage: Stage, seed: int = 1, *, again: bool = False) -> Made:
    one = recipe(seed)
    return run.make(stage, one, Materials(one), environment=lambda: {"cores": 2}, again=again)


def test_a_stage_is_made_once_and_made_again_when_what_it_reads_changes(tmp_path: Path) -> None:
    watcher, stage = Listening(), Two()
    with Run(tmp_path / "r-1", watcher) as run:
        assert [made(run, stage, seed).how for seed in (1, 1, 2)] == ["made", "reused", "made"]
    assert stage.calls == 2
    assert watcher.lines == ["two: made again (changed: seed 1 → 2)"]
    assert (tmp_path / "r-1" / "adapter" / "x").read_text() == "2"


def test_a_stage_follows_the_content_of_those_before_it(tmp_path: Path) -> None:
    with Run(tmp_path / "r-1") as run:
        made(run, Two())
        assert made(run, After()).how == "made"
        made(run, Two(), again=True)
        assert made(run, After()).how == "reused"
        made(run, Two(), 2)
        assert made(run, After(), 2).how == "made"


def test_a_stage_cannot_read_what_it_does_not_declare(tmp_path: Path) -> None:
    class Forgetful(Two):
        fields: tuple[str, ...] = ("study.refusal",)

    class Curious(Two):
        def make(self, work: Work) -> None:
            _ = work.materials.base

    with Run(tmp_path / "r-1") as run:
        with pytest.raises(UndeclaredRead, match="reads seed, which it does not declare"):
            made(run, Forgetful())
        with pytest.raises(UndeclaredRead, match="reads the material base"):
            made(run, Curious())


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "heldout.json").unlink(),
        lambda folder: (folder / "heldout.json").write_text("2"),
        lambda folder: (folder / "adapter" / "x").unlink(),
        lambda folder: (folder / "adapter" / "x").write_text(""),
    ],
)
def test_a_stage_whose_output_is_missing_or_changed_is_made_again(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    watcher, stage = Listening(), Two()
    with Run(tmp_path / "r-1", watcher) as run:
        made(run, stage)
        damage(tmp_path / "r-1")
        assert made(run, stage).how == "made"
        assert made(run, stage).how == "reused"
    assert stage.calls == 2
    assert "is missing or was changed" in watcher.lines[0]


@pytest.mark.parametrize("at", range(12))
def test_killed_at_any_rename_the_same_call_completes_the_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    count = 0
    replace = Path.replace

    def failing(self: Path, target: Any) -> Path:
        nonlocal count
        count += 1
        if count == at + 1:
            raise Killed
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", failing)
        try:
            with Run(tmp_path / "r-1") as run:
                made(run, Two(), 1)
                made(run, Two(), 2)
        except Killed:
            pass
    for seed in (1, 2):  # the input is put back, and the output of neither making is kept wrongly
        with Run(tmp_path / "r-1") as run:
            made(run, Two(), seed)
        folder = tmp_path / "r-1"
        assert (folder / "adapter" / "x").read_text() == (folder / "heldout.json").read_text()
        assert (folder / "heldout.json").read_text() == str(seed)
    assert not list((folder / ".partial").iterdir())


def test_what_an_interrupted_stage_left_is_kept_for_the_same_inputs_only(tmp_path: Path) -> None:
    seen: list[bool] = []

    def interrupted(work: Work) -> None:
        (work.out.path / "checkpoint").touch()
        raise Killed

    def going_on(work: Work) -> None:
        seen.append((work.out.path / "checkpoint").exists())

    for seed, kept in ((1, True), (2, False)):
        with Run(tmp_path / f"{kept}-1") as run:
            with pytest.raises(Killed):
                made(run, Two(interrupted), 1)
            made(run, Two(going_on), seed)
        assert seen.pop() is kept


def test_a_stage_that_a_sibling_run_has_made_is_copied(tmp_path: Path) -> None:
    watcher, stage = Listening(), Two()
    with Run(tmp_path / "demo-1") as run:
        made(run, stage)
    with Run(tmp_path / "demo-2", watcher) as run:
        assert made(run, stage).how == "copied"
        assert made(run, stage).how == "reused"
    assert stage.calls == 1
    assert watcher.lines == ["two: copied from demo-1"]
    assert (tmp_path / "demo-2" / "adapter" / "x").read_text() == "1"


def test_nothing_is_copied_from_a_sibling_that_is_in_use_or_damaged(tmp_path: Path) -> None:
    sibling = tmp_path / "demo-1"
    with Run(sibling) as run:
        made(run, Two())
        with Run(tmp_path / "demo-2") as other:
            assert made(other, Two()).how == "made"
    (sibling / "adapter" / "x").write_text("7")
    with Run(tmp_path / "demo-3") as run:
        (tmp_path / "demo-2" / "lock.json").write_text("{")
        assert made(run, Two()).how == "made"
        assert (tmp_path / "demo-3" / "adapter" / "x").read_text() == "1"


def test_a_lock_that_was_edited_counts_as_none(tmp_path: Path) -> None:
    watcher, path = Listening(), tmp_path / "r-1" / "lock.json"
    with Run(tmp_path / "r-1") as run:
        made(run, Two())
    lock = read_json(path)
    lock["stages"]["two"]["seconds"] = 0.5
    write_json(path, lock)
    with Run(tmp_path / "r-1", watcher) as run:
        assert made(run, Two()).how == "made"
    assert "edited or damaged since ragtune wrote it; every stage is made again" in watcher.lines[0]


def test_a_run_of_an_older_version_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "r-1").mkdir()
    write_json(tmp_path / "r-1" / "lock.json", {"stages": {}, "identity": "abc"})
    with (
        pytest.raises(RunError, match=r"made by an older version .*; move it away or delete it"),
        Run(tmp_path / "r-1"),
    ):
        pass
    with Run(tmp_path / "r-2") as run:
        made(run, Two())


def test_the_machine_is_noted_with_each_stage(tmp_path: Path) -> None:
    with Run(tmp_path / "r-1") as run:
        made(run, Two())
        assert run.lock.environment(["two"]) == {"cores": 2}
        assert run.lock.environment(["none"]) == {}


def test_a_run_folder_has_one_owner_which_is_named(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from ragtune.runs.run import Run\n"
            "with Run(Path(sys.argv[1])): print('mine', flush=True); sys.stdin.read()",
            str(tmp_path / "r"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    holder.stdout.readline()
    with pytest.raises(RunError, match=f"in use by process {holder.pid}"), Run(tmp_path / "r"):
        pass
    holder.stdin.close()
    holder.wait()
    holder.stdout.close()
    with Run(tmp_path / "r"):
        assert (tmp_path / "r" / ".owner").read_text() == str(os.getpid())


def test_json_lines_survive_unicode_line_separators(tmp_path: Path) -> None:
    rows = [{"text": "one\u2028two\x85three\n"}, {"text": ""}]
    write_jsonl(tmp_path / "x.jsonl", rows)
    assert read_jsonl(tmp_path / "x.jsonl") == rows


def test_a_missing_or_broken_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="missing; is this a finished run"):
        read_json(tmp_path / "none.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        read_json(tmp_path / "broken.json")
