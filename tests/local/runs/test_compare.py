import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ragtune.core.errors import RecipeError, RunError
from ragtune.recipe import file as recipe_file
from ragtune.runs import compare as comparing
from ragtune.runs.pipeline import Pipeline

SMALL = ("study.arms=[base,rag]", "records.with_passages=0")


def run(path: Path, runs: Path, *overrides: str) -> Path:
    recipe = recipe_file.load(path, (*SMALL, *overrides))
    Pipeline(recipe, runs / recipe.run_name).execute()
    return runs / recipe.run_name


def drawn(found: dict[str, Any]) -> str:
    text = io.StringIO()
    Console(width=100, file=text).print(comparing.show(found))
    return text.getvalue()


def test_recipes_are_told_apart_field_by_field_and_figures_arm_by_arm(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    path = project()
    two = [run(path, tmp_path, "rag.top_k=1"), run(path, tmp_path, "rag.top_k=2")]
    found = comparing.compare(two)
    assert found["recipe"] == [{"field": "rag.top_k", "values": [1, 2]}]
    results = [json.loads((folder / "results.json").read_text()) for folder in two]
    for arm in ("base", "rag"):
        for shown, figures in zip(found["arms"][arm], results, strict=True):
            assert shown["token_f1"] == figures["arms"][arm]["quality"]["token_f1"]
    assert found["common_questions"] == results[0]["questions"]
    text = drawn(found)
    assert "rag.top_k" in text
    assert f"A: {two[0]}" in text.replace("\n", "")


def test_differences_are_paired_by_question(project: Callable[..., Path], tmp_path: Path) -> None:
    """Answers written by hand: right in one run, wrong in the other, on every question."""
    two = [run(project(), tmp_path / "runs"), tmp_path / "copy"]
    shutil.copytree(two[0], two[1])
    questions = [json.loads(x) for x in (two[0] / "data" / "test.jsonl").read_text().splitlines()]
    for folder, right in zip(two, (True, False), strict=True):
        file = folder / "answers" / "rag.jsonl"
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        for row, question in zip(rows, questions, strict=True):
            row["text"] = question["response"] if right else "zzz"
        file.write_text("".join(json.dumps(row) + "\n" for row in reversed(rows)))
    found = comparing.compare(two)["differences"]
    gaps = {d["arm"]: d for d in found if d["metric"] == "token_f1"}
    assert gaps["rag"]["mean"] == 1.0
    assert (gaps["rag"]["left"], gaps["rag"]["right"]) == tuple(map(str, two))
    assert gaps["base"]["mean"] == 0.0


def test_runs_of_other_questions_and_arms_are_compared_by_what_they_share(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    path = project()
    whole = run(path, tmp_path)
    part = run(path, tmp_path, "study.max_questions=2", "study.arms=[base]")
    found = comparing.compare([whole, part])
    assert found["common_questions"] == 2
    assert found["arms"]["rag"][1] is None
    assert {d["arm"] for d in found["differences"]} == {"base"}
    assert "2 questions were asked in all of them" in drawn(found)


def test_values_in_brackets_are_shown_as_they_are() -> None:
    row = {"field": "template.prompt", "values": ["[/INST] {instruction}", "[b]x"]}
    nothing = {"runs": ["r", "s"], "arms": {}, "recommended": [None, None], "differences": []}
    text = drawn({**nothing, "recipe": [row], "common_questions": 0})
    assert "[/INST] {instruction}" in text
    assert "[b]x" in text


def test_one_run_or_an_unfinished_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="two run folders or more"):
        comparing.compare([tmp_path])
    with pytest.raises(RunError, match=r"results\.json: missing"):
        comparing.compare([tmp_path / "a", tmp_path / "b"])
