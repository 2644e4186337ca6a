"""Each family that ragtune knows, and three that it does not, against transformers and PEFT."""

from pathlib import Path
from typing import Any

import pytest

from ragtune.core.bundled import builtin_model
from ragtune.models.families.generic import linear_layers
from ragtune.models.families.registry import families
from ragtune.models.folder import family_at, read_config
from ragtune.models.load import load_tokenizer
from tests.conftest import ROOT
from tests.local.models.families import zoo


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """That of the built-in model."""
    return load_tokenizer(builtin_model())


def made(request: pytest.FixtureRequest, factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of the kind that a test is asked for."""
    kind = (zoo.KINDS | zoo.MORE)[request.param]
    return zoo.write(kind, factory.mktemp("family") / request.param)


@pytest.fixture(scope="module", params=zoo.KINDS)
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of each kind in the table."""
    return made(request, tmp_path_factory)


@pytest.fixture(scope="module", params=zoo.KINDS | zoo.MORE)
def any_base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of each kind."""
    return made(request, tmp_path_factory)


def test_loss_and_gradients_are_those_of_transformers_and_peft_row_by_row(any_base: Path) -> None:
    found = zoo.losses(any_base)
    assert found.loss < zoo.CLOSE
    assert found.gradient < zoo.CLOSE
    assert found.again < zoo.CLOSE
    assert {*family_at(any_base).targets} == {*linear_layers(zoo.plain(any_base))}


def test_the_text_is_that_of_generate_alone_and_in_batches(any_base: Path, tokenizer: Any) -> None:
    found = zoo.texts(any_base, tokenizer)
    assert found.batched == found.expected
    assert found.single == found.expected
    assert found.loss < zoo.CLOSE
    assert len({token for text in found.expected for token in text}) > 12  # it says something


def test_a_killed_run_ends_bitwise_alike_and_its_export_is_base_and_adapter(
    base: Path, tokenizer: Any, tmp_path: Path
) -> None:
    assert zoo.resumed(base, tmp_path, tokenizer)
    adapter = tmp_path / "whole" / "adapter"
    assert zoo.exported(base, adapter, tmp_path / "merged", tokenizer) < zoo.CLOSE
    assert zoo.predicted(base, tokenizer) > 0
    assert read_config(tmp_path / "merged")["model_type"] == family_at(base).name


def test_the_docs_name_the_families_that_are_tested_and_no_others(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    rows = [line[2:].split(" | ") for line in text.splitlines() if line.startswith("| ")]
    shown = {row[0]: row[1:4] for row in rows if row[1:] and row[1].startswith("`")}
    types: dict[str, str] = {}
    for name, kind in (zoo.KINDS | zoo.MORE).items():
        family = family_at(zoo.write(kind, tmp_path / name))
        types[name] = family.name
        if name in zoo.KINDS:
            assert " | ".join(shown.pop(name)) == f"`{family.name}` | {zoo.layout(family)}"
        else:
            assert f"{name} (`{family.name}`)" in " ".join(text.split())
    assert not shown
    assert {family.name for family in families()} <= {*types.values()}
