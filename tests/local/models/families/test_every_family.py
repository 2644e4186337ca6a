"""Each family that ragtune knows, and three that it does not, against transformers and PEFT."""

from pathlib import Path
from typing import Any

import pytest

from ragtune.core.bundled import builtin_model
from ragtune.models.families.registry import family_of
from ragtune.models.folder import family_at, read_config
from ragtune.models.load import load_tokenizer
from tests.conftest import ROOT
from tests.local.models.families import zoo


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """That of the built-in model."""
    return load_tokenizer(builtin_model())


@pytest.fixture(scope="module", params=zoo.KINDS)
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of a family."""
    kind = zoo.KINDS[request.param]
    return zoo.write(kind, tmp_path_factory.mktemp("family") / request.param)


def test_loss_and_gradients_are_those_of_transformers_and_peft_row_by_row(base: Path) -> None:
    found = zoo.losses(base)
    assert found.loss < zoo.CLOSE
    assert found.gradient < 10 * zoo.CLOSE
    assert found.again < zoo.CLOSE


def test_the_text_is_that_of_generate_alone_and_in_batches(base: Path, tokenizer: Any) -> None:
    found = zoo.texts(base, tokenizer)
    assert found.batched == found.expected
    assert found.single == found.expected
    assert len({token for text in found.expected for token in text}) > 12  # it says something


def test_a_killed_run_ends_bitwise_alike_and_its_export_is_base_and_adapter(
    base: Path, tokenizer: Any, tmp_path: Path
) -> None:
    assert zoo.resumed(base, tmp_path, tokenizer)
    adapter = tmp_path / "whole" / "adapter"
    assert zoo.exported(base, adapter, tmp_path / "merged", tokenizer) < zoo.CLOSE
    assert zoo.predicted(base, tokenizer) > 0
    assert read_config(tmp_path / "merged")["model_type"] == family_at(base).name


def test_what_lora_may_name_is_all_that_the_model_has(base: Path) -> None:
    from ragtune.models.families.generic import linear_layers

    assert {*family_at(base).targets} == {*linear_layers(zoo.plain(base))}


def test_the_table_in_the_docs_is_of_these_families(tmp_path: Path) -> None:
    table = [
        line.split(" | ")
        for line in (ROOT / "docs" / "models.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and "`" in line.split(" | ")[1]
    ]
    shown = {cells[0].removeprefix("| "): " | ".join(cells[2:4]) for cells in table}
    assert list(shown) == list(zoo.KINDS)
    for name, kind in zoo.KINDS.items():
        family = family_at(zoo.write(kind, tmp_path / name))
        assert shown[name] == zoo.layout(family), name
        assert family.name in {cells[1].strip("`") for cells in table}
    assert family_of({"model_type": "llama"}).together
