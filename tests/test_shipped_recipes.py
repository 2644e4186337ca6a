"""The recipes of data/recipes: good with their data, and one line on where to get it without."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from ragtune.core.bundled import data_folder
from ragtune.recipe import file as recipe_file
from ragtune.results.metrics.answers import token_f1
from tests.conftest import record_rows, write_jsonl
from tests.local.sources.test_pdf import pdf

RECIPES = data_folder() / "recipes"
YEARS = (2019, 2020, 2021, 2022)
Called = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("dolly-summarization", 5, "get it: https://huggingface.co/datasets/databricks/"),
        ("letters", 3, "get them: the four PDFs from https://ir.aboutamazon.com, named as"),
    ],
)
def test_without_its_data_one_line_says_where_to_get_it(
    name: str, code: int, said: str, called: Called
) -> None:
    found, _, err = called("check", RECIPES / f"{name}.yaml", "--offline")
    assert found == code
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_the_published_job_is_good_with_rows_of_its_kind(tmp_path: Path, called: Called) -> None:
    rows = [
        {**row, "instruction": f"{row['instruction']} {n}", "context": f"{row['context']} {n}"}
        for n in range(4)
        for row in record_rows()
    ]
    kinds = ("summarization", "closed_qa")
    path = write_jsonl(
        tmp_path / "dolly.jsonl", [{**row, "category": kind} for row in rows for kind in kinds]
    )
    recipe = RECIPES / "dolly-summarization.yaml"
    code, out, _ = called(
        "check", recipe, "--set", f"records.source={path}", "--set", "model.local=builtin"
    )
    assert code == 0
    assert "good; 40 training records, 8 questions" in out


def test_its_settings_are_those_of_the_published_job() -> None:
    recipe = recipe_file.load(RECIPES / "dolly-summarization.yaml")
    tune, template = recipe.tune, recipe.template.build()
    assert (tune.epoch, tune.learning_rate, tune.max_input_length) == (5, 1e-4, 1024)
    assert (tune.lora_r, tune.lora_alpha, tune.lora_dropout) == (8, 32, 0.05)
    assert (tune.target_modules, tune.validation_split_ratio) == ("q_proj,v_proj", 0.2)
    assert (tune.local.layout, tune.local.loss) == ("blocks", "all")
    assert tune.per_device_train_batch_size * tune.gradient_accumulation_steps == 16
    assert template == type(template)()
    assert recipe.study.max_new_tokens == 100


def test_the_letters_recipe_is_good_with_four_pdfs(tmp_path: Path, called: Called) -> None:
    for year in YEARS:
        name = f"AMZN-{year}-Shareholder-Letter.pdf"
        (tmp_path / name).write_bytes(pdf(f"To our shareholders: {year} was a year with AWS."))
    code, out, _ = called(
        "check", RECIPES / "letters.yaml", "--set", f"documents.source={tmp_path}"
    )
    assert code == 0
    assert "20 questions, 4 documents, arms base, rag" in out
    assert "does not exist" not in out


def test_the_questions_are_about_all_letters_and_differ() -> None:
    lines = (RECIPES / "letters-questions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    counted = Counter(row["document"] for row in rows)
    assert set(counted) == {f"AMZN-{year}-Shareholder-Letter.pdf" for year in YEARS}
    assert min(counted.values()) >= 3
    assert len({row["instruction"] for row in rows}) == len(rows) == 20
    for row in rows:
        first = row["response"] if isinstance(row["response"], str) else row["response"][0]
        assert token_f1(row["instruction"], first) < 0.5
