import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from ragtune.core.errors import RecipeError, RunError
from ragtune.runs.compare import Comparison, FieldValues, compare, show
from tests.local.results.made_up import QUESTIONS, TEXTS, write_run


def drawn(found: Comparison) -> str:
    text = io.StringIO()
    Console(width=100, file=text).print(show(found))
    return text.getvalue()


def test_recipes_are_compared_field_by_field_and_figures_arm_by_arm(tmp_path: Path) -> None:
    two = [tmp_path / "one", tmp_path / "two"]
    results = [write_run(path, rag={"top_k": n}) for n, path in enumerate(two, 1)]
    found = compare(two)
    assert found.recipe == [FieldValues(field="rag.top_k", values=[1, 2])]
    for arm in ("base", "rag"):
        for shown, run in zip(found.arms[arm], results, strict=True):
            assert shown is not None
            assert shown.quality == run.arms[arm].quality
    assert found.common_questions == len(QUESTIONS)
    assert found.recommended == [None, None]  # two questions decide nothing
    text = drawn(found)
    assert "rag.top_k" in text
    assert f"A: {two[0]}" in text.replace("\n", "")
    json.dumps(found.to_json())


def test_differences_are_paired_by_question(tmp_path: Path) -> None:
    """Right in one run, wrong in the other, on every question, whatever the order of the lines."""
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    texts = {**TEXTS, "rag": [q.response for q in QUESTIONS]}
    write_run(right, texts=texts)
    write_run(wrong, texts={**TEXTS, "rag": ["zzz"] * len(QUESTIONS)})
    for folder in (right, wrong):
        file = folder / "answers" / "rag.jsonl"
        file.write_text("\n".join(reversed(file.read_text().splitlines())))
    found = compare([right, wrong])
    gaps = {d.arm: d for d in found.differences if d.metric == "token_f1"}
    assert gaps["rag"].mean == 1.0
    assert (gaps["rag"].left, gaps["rag"].right) == (str(right), str(wrong))
    assert gaps["base"].mean == 0.0
    text = " ".join(drawn(found).split())
    assert "base: right of A less that of B: +0.00" in text
    assert "not significantly different" in text


def test_runs_of_other_questions_and_arms_are_compared_by_what_they_share(tmp_path: Path) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    write_run(whole)
    write_run(part, ("base",), QUESTIONS[:2], {"base": TEXTS["base"][:2]})
    found = compare([whole, part])
    assert found.questions == [3, 2]
    assert found.common_questions == 2
    assert found.arms["rag"][1] is None
    assert {d.arm for d in found.differences} == {"base"}
    assert "2 questions were asked in all of them" in drawn(found)


def test_values_in_brackets_are_shown_as_they_are() -> None:
    row = FieldValues(field="template.prompt", values=["[/INST] {instruction}", "[b]x"])
    found = Comparison(
        runs=["r", "s"],
        metric="right",
        recipe=[row],
        questions=[0, 0],
        common_questions=0,
        arms={},
        recommended=[None, None],
        differences=[],
    )
    text = drawn(found)
    assert "[/INST] {instruction}" in text
    assert "[b]x" in text


def test_one_run_an_unfinished_or_an_old_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="two run folders or more"):
        compare([tmp_path])
    with pytest.raises(RunError, match=r"results\.json: missing"):
        compare([tmp_path / "a", tmp_path / "b"])
    (tmp_path / "results.json").write_text('{"schema": 4}')
    write_run(tmp_path / "new")
    with pytest.raises(RunError, match="made by an older ragtune; `ragtune run` makes it again"):
        compare([tmp_path / "new", tmp_path])
