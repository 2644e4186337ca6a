"""A run folder that was edited or damaged is refused by what reads it, and healed by ``run``."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ragtune.core.errors import RunError
from ragtune.core.files import copy_tree, read_json, read_jsonl, write_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe import file as recipe_file
from ragtune.recipe.schema import Recipe
from ragtune.results.schema import Results
from ragtune.runs.lock import DamagedLock, Lock
from ragtune.runs.materials import Materials
from ragtune.runs.open import open_run, recipe_of
from ragtune.runs.pipeline import Pipeline
from ragtune.runs.plan import plan
from ragtune.runs.run import Run
from tests.local.runs.test_run import Listening

Tamper = Callable[[Path], None]
TUNE = "tune/tuned"
PARTS = [
    "recipe.yaml",
    "lock.json",
    "data/train.jsonl",
    "data/template.json",
    "data/test.jsonl",
    "adapter/adapter_model.safetensors",
    "adapter/adapter_config.json",
    "adapter/ragtune.json",
    "adapter/training.json",
    "adapter-rag/adapter_model.safetensors",
    "data/train-rag.jsonl",
    "recall/tuned.jsonl",
    "index/manifest.json",
    "index/store/edge_config.json",
    "retrieval.jsonl",
    "answers/base.jsonl",
    "answers/tuned.jsonl",
    "answers/rag.jsonl",
    "answers/tuned+rag.jsonl",
    "latency/base.jsonl",
    "latency/rag.jsonl",
    "coverage.json",
    "heldout.json",
    "forgetting.json",
    "freshness.json",
    "results.json",
    "report.html",
]


def gone(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def one_byte(path: Path) -> None:
    """Change a byte in the middle, and put the times back."""
    stat, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def on_each_part() -> Iterator[tuple[str, Tamper]]:
    for part in PARTS:
        for how in (gone, emptied, one_byte, cut):
            yield f"{part} {how.__name__}", on(part, how)


def on(part: str, how: Tamper) -> Tamper:
    return lambda run: how(run / part)


def lines(part: str, change: Callable[[list[str]], list[str]]) -> Tamper:
    def tamper(run: Path) -> None:
        path = run / part
        path.write_text("".join(change(path.read_text().splitlines(keepends=True))))

    return tamper


def answer(run: Path, **fields: Any) -> None:
    path = run / "answers" / "tuned.jsonl"
    rows = [{**row, **fields} for row in read_jsonl(path)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def recipe_field(**fields: Any) -> Tamper:
    def tamper(run: Path) -> None:
        path = run / "recipe.yaml"
        tree = yaml.safe_load(path.read_text())
        for section, values in fields.items():
            tree[section] = {**tree[section], **values} if isinstance(values, dict) else values
        path.write_text(yaml.safe_dump(tree))

    return tamper


def lock_entry(change: Callable[[dict[str, Any]], Any]) -> Tamper:
    def tamper(run: Path) -> None:
        lock = read_json(run / "lock.json")
        change(lock)
        write_json(run / "lock.json", lock)

    return tamper


def store_file(pattern: str, how: Tamper) -> Tamper:
    return lambda run: how(next((run / "index" / "store").rglob(pattern)))


def half_an_index(run: Path) -> None:
    files = sorted(p for p in (run / "index" / "store").rglob("*") if p.is_file())
    for path in files[: len(files) // 2]:
        path.unlink()


def without_folder(name: str) -> Tamper:
    return lambda run: shutil.rmtree(run / name)


def emptied_folder(name: str) -> Tamper:
    def tamper(run: Path) -> None:
        shutil.rmtree(run / name)
        (run / name).mkdir()

    return tamper


def file_for_folder(name: str) -> Tamper:
    def tamper(run: Path) -> None:
        shutil.rmtree(run / name)
        (run / name).write_text("")

    return tamper


def swapped(one: str, other: str) -> Tamper:
    def tamper(run: Path) -> None:
        (run / one).rename(run / "kept")
        (run / other).rename(run / one)
        (run / "kept").rename(run / other)

    return tamper


def file_for_answers(run: Path) -> None:
    """A file in the place of the folder, and a link to nothing in that of what is being made."""
    file_for_folder("answers")(run)
    shutil.rmtree(run / ".partial", ignore_errors=True)
    (run / ".partial").symlink_to("nowhere")


KINDS: dict[str, Tamper] = {
    **dict(on_each_part()),
    "answers reordered": lines("answers/rag.jsonl", lambda rows: rows[::-1]),
    "an answer missing": lines("answers/rag.jsonl", lambda rows: rows[:-1]),
    "an answer twice": lines("answers/rag.jsonl", lambda rows: [*rows, rows[-1]]),
    "answers replaced": lambda run: answer(run, text="right"),
    "answers faster": lambda run: answer(run, seconds=0.0),
    "answers of two arms swapped": swapped("answers/base.jsonl", "answers/tuned.jsonl"),
    "a test question missing": lines("data/test.jsonl", lambda rows: rows[1:]),
    "test and training rows swapped": swapped("data/test.jsonl", "data/train.jsonl"),
    "retrieval reordered": lines("retrieval.jsonl", lambda rows: rows[::-1]),
    "another learning rate": recipe_field(tune={"learning_rate": 0.5}),
    "another seed": recipe_field(seed=11),
    "another refusal": recipe_field(study={"refusal": "no idea"}),
    "other needs": recipe_field(needs={"min_quality": 0.01}),
    "a laxer gate": recipe_field(promote={"no_leaks": False}),
    "another name": recipe_field(name="other"),
    "lock: seconds": lock_entry(lambda lock: lock["stages"][TUNE].update(seconds=0.1)),
    "lock: no adapter's hash": lock_entry(lambda lock: lock["stages"][TUNE]["outputs"].clear()),
    "lock: a stage less": lock_entry(lambda lock: lock["stages"].pop(TUNE)),
    "lock: another identity": lock_entry(lambda lock: lock.update(identity="0")),
    "lock: other inputs": lock_entry(lambda lock: lock["stages"][TUNE]["inputs"].update(seed=9)),
    "lock: no digest": lock_entry(lambda lock: lock.pop("sha256")),
    "lock: another format": lock_entry(lambda lock: lock.update(format=3)),
    "lock: a list": lambda run: write_json(run / "lock.json", [1]),
    "lock: leaks forgotten": lock_entry(lambda lock: lock["data"].clear()),
    "vectors": store_file("chunk_0.mmap", one_byte),
    "payloads": store_file("page_0.dat", one_byte),
    "segment": store_file("segment.json", gone),
    "write-ahead log": store_file("open-1", emptied),
    "half an index": half_an_index,
    "no index": without_folder("index"),
    "no store": without_folder("index/store"),
    "no adapter": without_folder("adapter"),
    "an empty adapter": emptied_folder("adapter"),
    "a file for the adapter": file_for_folder("adapter"),
    "a file for the answers": file_for_answers,
    "no answers": without_folder("answers"),
    "no data": without_folder("data"),
}


@dataclass(frozen=True)
class Finished:
    """A finished run, its recipe and its figures."""

    recipe: Recipe
    folder: Path
    figures: Results

    def copy(self, to: Path) -> Path:
        folder = to / self.folder.name
        copy_tree(self.folder, folder)  # its index is full of holes, which a plain copy fills
        return folder


@pytest.fixture(scope="module")
def finished(finished_run: Path) -> Finished:
    """The tiny project's run; tests copy it."""
    figures = Results.load(RunFolder(finished_run).results)
    return Finished(recipe_of(finished_run), finished_run, figures)


def test_there_are_as_many_kinds_as_were_ever_found() -> None:
    assert len(KINDS) >= 75


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_edited_or_damaged_is_refused_in_one_line(
    finished: Finished, tmp_path: Path, kind: str
) -> None:
    folder = finished.copy(tmp_path)
    KINDS[kind](folder)
    with pytest.raises(RunError) as caught, open_run(folder):
        pass
    assert "\n" not in str(caught.value)


OF_THE_RECIPE = ("recipe.yaml", "another", "other needs", "a laxer gate")


@pytest.mark.parametrize("kind", [k for k in KINDS if not k.startswith(OF_THE_RECIPE)])
def test_the_run_makes_again_what_was_edited_or_damaged(
    finished: Finished, tmp_path: Path, kind: str
) -> None:
    folder = finished.copy(tmp_path)
    KINDS[kind](folder)
    stages, materials = plan(finished.recipe), Materials(finished.recipe)
    with Run(folder, Listening()) as run:
        again = [s.name for s in stages if run.reason(s, finished.recipe, materials) != ""]
        derived = run.lock.stages and not again
    assert again or (derived and kind.startswith(("results", "report")))


@pytest.mark.parametrize(
    "kind",
    [
        *("a file for the answers", "an answer missing", "an empty adapter", "half an index"),
        *("lock: seconds", "another seed"),
    ],
)
def test_a_healed_run_has_the_figures_of_before(
    finished: Finished, tmp_path: Path, kind: str
) -> None:
    folder = finished.copy(tmp_path)
    KINDS[kind](folder)
    figures = Pipeline(finished.recipe, folder).execute()
    with open_run(folder) as opened:
        assert opened.figures == figures
    for arm, before in finished.figures.arms.items():
        assert figures.arms[arm].quality == before.quality


def test_every_stage_notes_the_files_that_it_left(finished: Finished) -> None:
    folder = RunFolder(finished.folder)
    lock = Lock.load(folder)
    noted = {name for entry in lock.stages.values() for name in entry.outputs}
    there = {
        path.relative_to(folder.path).as_posix()
        for path in folder.path.rglob("*")
        if path.is_file()
    }
    hidden = {name for name in there if any(part.startswith(".") for part in Path(name).parts)}
    assert there - hidden - noted == {"recipe.yaml", "lock.json"}


def test_a_damaged_lock_says_so(tmp_path: Path) -> None:
    (tmp_path / "lock.json").write_text("{")
    with pytest.raises(DamagedLock, match="cannot be read"):
        Lock.load(RunFolder(tmp_path))


def test_an_index_newer_than_the_answers_is_searched_but_not_reported(
    finished: Finished, make_project: Callable[..., Path], tmp_path: Path
) -> None:
    path = make_project(tmp_path / "project")
    recipe = recipe_file.load(path, ("tune.epoch=1", "study.arms=[rag]"))
    folder = tmp_path / "runs" / recipe.run_name
    Pipeline(recipe, folder).execute()
    (path.parent / "docs" / "fog.md").write_text("# Fog\n\nIn fog the bell rings nine times.\n")
    Pipeline(recipe, folder).index()
    with open_run(folder) as opened:
        (first,) = opened.search("How often does the bell ring?", top_k=1)
        assert "nine times" in first.text
        for figures in (opened.report, lambda: opened.figures):
            with pytest.raises(RunError, match=r"retrieval, .*answers/rag, freshness older than"):
                figures()
    assert finished.folder.exists()
