import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import RunError
from ragtune.core.files import read_json, read_jsonl, write_jsonl, write_text
from ragtune.runs.stage import Run


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


def make_two(text: str, calls: list[str]) -> Any:
    def make(work: Path) -> None:
        calls.append(text)
        (work / "a").mkdir(exist_ok=True)
        (work / "a" / "x").write_text(text)
        write_text(work / "b", text)

    return make


def test_a_stage_is_made_once_and_made_again_when_its_inputs_change(tmp_path: Path) -> None:
    calls: list[str] = []
    said: list[str] = []
    with Run(tmp_path / "r-1", said.append) as run:
        assert run.stage("s", {"n": 1}, ["a", "b"], make_two("one", calls)).how == "made"
        assert run.stage("s", {"n": 1}, ["a", "b"], make_two("one", calls)).how == "reused"
        assert run.stage("s", {"n": 2}, ["a", "b"], make_two("two", calls)).how == "made"
    assert calls == ["one", "two"]
    assert said == ["s: made again (changed: n 1 → 2)"]
    assert (tmp_path / "r-1" / "a" / "x").read_text() == "two"


def test_a_stage_whose_output_is_gone_is_made_again(tmp_path: Path) -> None:
    calls: list[str] = []
    with Run(tmp_path / "r-1") as run:
        run.stage("s", {}, ["a", "b"], make_two("one", calls))
        (tmp_path / "r-1" / "b").unlink()
        run.stage("s", {}, ["a", "b"], make_two("one", calls))
    assert len(calls) == 2


@pytest.mark.parametrize("at", range(8))
def test_killed_at_any_rename_the_same_call_completes_the_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    calls: list[str] = []
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
                run.stage("s", {"n": 1}, ["a", "b"], make_two("one", calls))
                run.stage("s", {"n": 2}, ["a", "b"], make_two("two", calls))
        except Killed:
            pass
    with Run(tmp_path / "r-1") as run:
        run.stage("s", {"n": 2}, ["a", "b"], make_two("two", calls))
    folder = tmp_path / "r-1"
    assert (folder / "a" / "x").read_text() == (folder / "b").read_text() == "two"
    assert not list((folder / ".partial").iterdir())


def test_what_an_interrupted_stage_left_is_kept_for_the_same_inputs_only(tmp_path: Path) -> None:
    seen: list[bool] = []

    def interrupted(work: Path) -> None:
        (work / "checkpoint").touch()
        raise Killed

    def going_on(work: Path) -> None:
        seen.append((work / "checkpoint").exists())
        (work / "out").touch()

    for inputs, kept in (({"n": 1}, True), ({"n": 2}, False)):
        with Run(tmp_path / f"{kept}-1") as run:
            with pytest.raises(Killed):
                run.stage("s", {"n": 1}, ["out"], interrupted)
            run.stage("s", inputs, ["out"], going_on)
        assert seen.pop() is kept


def test_a_stage_that_a_sibling_run_has_made_is_copied(tmp_path: Path) -> None:
    calls: list[str] = []
    said: list[str] = []
    with Run(tmp_path / "demo-1") as run:
        run.stage("s", {"n": 1}, ["a", "b"], make_two("one", calls))
    with Run(tmp_path / "demo-2", said.append) as run:
        assert run.stage("s", {"n": 1}, ["a", "b"], make_two("one", calls)).how == "copied"
    assert calls == ["one"]
    assert said == ["s: copied from demo-1"]
    assert (tmp_path / "demo-2" / "a" / "x").read_text() == "one"


def test_a_run_folder_has_one_owner_which_is_named(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from ragtune.runs.stage import Run\n"
            "with Run(Path(sys.argv[1])): print('mine', flush=True); sys.stdin.read()",
            str(tmp_path / "r"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[3],
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
