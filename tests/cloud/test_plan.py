import hashlib
from pathlib import Path

import pytest

from cloud.plan import plan, show
from local.errors import RecipeError, RunError
from local.recipe import Recipe


def recipe(jumpstart: str | None) -> Recipe:
    return Recipe.model_validate(
        {"name": "t", "records": {"source": "r"}, "model": {"jumpstart": jumpstart}}
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_text("{}\n")
    (tmp_path / "data" / "template.json").write_text("{}")
    return tmp_path


def test_a_plan_names_model_price_terms_and_hashes(run: Path) -> None:
    planned = plan(recipe("meta-textgeneration-llama-3-2-1b"), run)
    assert planned["instance"]["usd_per_hour"] == 7.09
    assert planned["data"]["train.jsonl"] == hashlib.sha256(b"{}\n").hexdigest()
    text = show(planned)
    assert "1 x ml.g5.12xlarge: $7.09 an hour" in text
    assert text.endswith("nothing was sent or spent")


def test_a_recipe_without_a_known_jumpstart_model_is_refused(run: Path) -> None:
    with pytest.raises(RecipeError, match=r"model\.jumpstart: missing"):
        plan(recipe(None), run)
    with pytest.raises(RecipeError, match="not in the catalogue"):
        plan(recipe("meta-textgeneration-llama-9"), run)


def test_a_run_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="finish the run first"):
        plan(recipe("meta-textgeneration-llama-3-2-1b"), tmp_path)
