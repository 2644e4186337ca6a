"""What a recipe and its data show before anything is run, and that a run then says the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.core import stamps
from ragtune.core.errors import RecipeError
from ragtune.recipe import file as recipe_file
from ragtune.results.faults import FAULTS, AnyFault, FewSteps, LongReferences, NoValidation
from ragtune.results.wording import verdict
from ragtune.runs import audit, defaults, foresight
from ragtune.runs.check import check, show
from ragtune.runs.materials import Materials
from ragtune.runs.pipeline import Pipeline
from ragtune.sources.rows import files
from ragtune.sources.rows.base import Table
from tests.conftest import write_jsonl
from tests.local.models.families import zoo

Project = Callable[..., Path]


def warnings(path: Path, *overrides: str) -> dict[str, AnyFault]:
    summary, _ = check(recipe_file.load(path, overrides))
    found = [FAULTS.validate_python(value) for value in summary["warnings"]]
    return {fault.kind: fault for fault in found}


def forty(path: Path, response: str = "desk {}") -> Path:
    """Put 40 short records without documents in the project."""
    rows = [
        {"instruction": f"Sort message {n}.", "response": response.format(n % 3)} for n in range(40)
    ]
    write_jsonl(path.parent / "records.jsonl", rows)
    return path


@pytest.fixture
def plain(project: Project) -> Callable[..., Path]:
    """The tiny project with 40 records, the recipe's defaults, and no documents."""

    def write(response: str = "desk {}", **study: Any) -> Path:
        sections = {
            "records": {"source": "records.jsonl"},
            "documents": None,
            "tune": {"max_input_length": 64},
            "study": {"arms": ["base", "tuned"], "max_new_tokens": 8, **study},
        }
        return forty(project(**sections), response)

    return write


def test_layers_that_the_model_does_not_have_are_refused_with_those_that_it_has(
    project: Project, tmp_path: Path, tiny_llama: Path
) -> None:
    other = zoo.write(zoo.KINDS["GPT-2"], tmp_path / "gpt2", tiny_llama)
    for base, named, said in (
        (tiny_llama, "q_proj,c_attn", "llama has no c_attn; allowed: q_proj, k_proj, v_proj, o_"),
        (other, "q_proj", "gpt2 has no q_proj; allowed: c_attn, c_proj, c_fc"),
    ):
        how = (f"model.local={base}", f"tune.target_modules='{named}'")
        with pytest.raises(RecipeError, match=f"tune.target_modules: {said}"):
            check(recipe_file.load(project(), how))


def test_a_recipe_that_names_no_layers_tunes_all_that_the_model_has(
    plain: Callable[..., Path], tmp_path: Path, tiny_llama: Path
) -> None:
    other = zoo.write(zoo.KINDS["GPT-2"], tmp_path / "gpt2", tiny_llama)
    filled = defaults.load(plain(), (f"model.local={other}",))
    assert filled.tune.target_modules == "c_attn,c_proj,c_fc"
    assert any("c_attn,c_proj,c_fc" in line for line in defaults.summary(filled))
    assert "tune.max_input_length" not in check(filled)[0]["warnings"]


def test_too_few_questions_and_steps_are_foreseen(plain: Callable[..., Path]) -> None:
    found = warnings(plain())
    assert {"few_questions", "few_latencies", "few_steps"} <= set(found)
    steps = found["few_steps"]
    assert isinstance(steps, FewSteps)
    assert steps.arms == ("tuned",)
    assert steps.steps < 60
    assert "few_steps" not in warnings(
        plain(), "tune.epoch=60", "tune.gradient_accumulation_steps=1"
    )


def test_steps_are_counted_as_training_takes_them(project: Project, tmp_path: Path) -> None:
    recipe = recipe_file.load(project(), ("study.arms=[tuned]", "records.with_passages=0"))
    summary, _ = check(recipe)
    (foreseen,) = [w["steps"] for w in summary["warnings"] if w["kind"] == "few_steps"]
    results = Pipeline(recipe, tmp_path / "runs" / recipe.run_name).execute()
    assert len(results.tune["tuned"].steps) == foreseen


def test_references_over_the_limit_are_foreseen(plain: Callable[..., Path]) -> None:
    path = plain("check the valve and note its pressure at desk {}")
    long = warnings(path)["long_references"]
    assert isinstance(long, LongReferences)
    assert long.longer == long.questions
    assert "long_references" not in warnings(path, f"study.max_new_tokens={long.longest}")


def test_a_split_without_a_validation_sample_is_foreseen(plain: Callable[..., Path]) -> None:
    found = warnings(plain(), "tune.max_val_samples=0")
    assert isinstance(found["no_validation"], NoValidation)
    assert "no_validation" not in warnings(plain())
    assert "no_validation" not in warnings(plain(), "tune.validation_split_ratio=0")


def test_what_tunes_nothing_is_not_warned_of_its_steps(plain: Callable[..., Path]) -> None:
    assert "few_steps" not in warnings(plain(arms=["base"]))


def test_of_very_many_records_some_are_looked_at(
    plain: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = warnings(plain())["few_steps"]
    monkeypatch.setattr(audit, "PAIRS", 80)
    monkeypatch.setattr(foresight, "MANY", 20)
    monkeypatch.setattr(foresight, "SAMPLE", 18)
    summary, _ = check(recipe_file.load(plain()))
    assert summary["near_duplicates"]["looked_at"] == 2 < summary["questions"]
    some = warnings(plain())["few_steps"]
    assert isinstance(whole, FewSteps)
    assert isinstance(some, FewSteps)
    assert abs(some.steps - whole.steps) <= whole.steps / 2


def test_records_are_read_once_for_what_they_fill_in_and_for_the_check(
    plain: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def table(path: Path, encoding: str | None = None) -> Table:
        read.append(path)
        return whole(path, encoding)

    whole = files.table
    monkeypatch.setattr(files, "table", table)
    monkeypatch.setattr(stamps, "SETTLED", -60.0)
    path = plain()
    first, _ = check(defaults.load(path))
    assert len(read) == 1
    rows = read[0].read_text().splitlines()
    write_jsonl(read[0], [json.loads(row) for row in [*rows, *rows[:9]]])
    second, _ = check(defaults.load(path))
    assert second["train"] + second["questions"] == first["train"] + first["questions"] + 9


def test_no_model_is_loaded_for_it(
    plain: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(self: Materials, *given: Any) -> None:
        raise AssertionError("loaded")

    monkeypatch.setattr(Materials, "engine", load)
    monkeypatch.setattr(Materials, "embedder", property(load))
    assert warnings(plain())


def test_the_command_shows_the_warnings_and_lists_them_as_json(
    plain: Callable[..., Path], called: Any
) -> None:
    path = plain()
    blocks = ("--set", "tune.local.layout=blocks", "--set", "tune.local.loss=all")
    code, out, _ = called("check", path, *blocks)
    assert code == 0
    assert "warning: 4 questions are too few; ask at least 30" in out
    code, out, _ = called("check", path, *blocks, "--json")
    assert code == 0
    kinds = [warning["kind"] for warning in json.loads(out)["warnings"]]
    assert kinds[0] == "few_questions"
    summary, prediction = check(recipe_file.load(path))
    assert "optimiser steps in all" in show(path, summary, prediction)


def test_a_run_of_forty_records_and_defaults_ends_in_what_is_wrong_with_it(
    plain: Callable[..., Path], tmp_path: Path
) -> None:
    recipe = recipe_file.load(plain())
    results = Pipeline(recipe, tmp_path / "runs" / recipe.run_name).execute()
    said = results.recommendation
    assert said.arm is None
    assert said.because.kind == "study_at_fault"
    assert {"few_questions", "few_steps"} <= {fault.kind for fault in said.because.faults}
    first = verdict(said)[0]
    assert first.startswith("no verdict — ")
    assert "4 questions are too few; ask at least 30" in first
    assert "optimiser steps in all, where about 60 are needed" in first
    assert "fits best" not in first
    assert "too weak" not in first
