"""Requests for real JumpStart specs are sagemaker 2's, of which digests are kept.

``scripts/jumpstart/check`` wrote the digests with the real SDK, and shows where a request differs.
"""

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.files import digest
from ragtune_cloud.sagemaker.manifest import flatten
from scripts.jumpstart import cases
from scripts.jumpstart.forms import read_specs
from tests.cloud.made_up import PUBLISHED
from tests.conftest import ROOT

REAL = ROOT.parent / "shared" / "data" / "jumpstart"
KEPT = PUBLISHED / "sdk.json"
DIGESTS: dict[str, dict[str, str]] = (
    json.loads(KEPT.read_text())["digests"] if KEPT.exists() else {}
)
DIFFER = "differs from sagemaker 2's; scripts/jumpstart/check says where"


@functools.cache
def specs() -> dict[str, dict[str, Any]]:
    return read_specs(REAL)


@pytest.fixture
def real() -> dict[str, dict[str, Any]]:
    if not REAL.is_dir():
        pytest.skip("the real specs of ../shared/data/jumpstart are not here")
    if not DIGESTS:
        pytest.skip("sdk.json is not here; scripts/jumpstart/check writes it")
    return specs()


def asked(kind: str) -> list[tuple[str, str]]:
    """File and instance type of the SDK's requests of a kind."""
    found = [tuple(name.split(f" {kind} ")) for name in DIGESTS if f" {kind} " in name]
    return [(file, instance) for file, instance in found if "tuned" not in file]


@pytest.mark.parametrize(("file", "instance"), asked("trained on"))
def test_a_training_request_is_the_sdks_but_for_the_listed_differences(
    real: dict[str, dict[str, Any]], file: str, instance: str, tmp_path: Path
) -> None:
    case = cases.training(file, real[file], instance, 1, tmp_path)
    if not DIGESTS[case.name]:  # the SDK asks for a job without weights, and warns
        assert case.error is not None
        assert "has no training artefact" in case.error
        return
    ours = case.ours["CreateTrainingJob"]
    assert digest(cases.alike(ours)) == DIGESTS[case.name]["CreateTrainingJob"], DIFFER


def test_every_real_spec_is_compared(real: dict[str, dict[str, Any]]) -> None:
    compared = {name.split(" ")[0] for name in DIGESTS}
    assert set(real) <= compared
    assert {name.split(" ")[0] for name in DIGESTS if " trained on " in name} == {
        "llama-2-7b_3.0.0",
        "llama-2-7b-f_2.0.4",
        "llama-3-1-70b_2.16.2",
    }


def test_every_served_image_and_environment_is_the_sdks(real: dict[str, dict[str, Any]]) -> None:
    wrong = []
    for file, instance in asked("served on"):
        case = cases.serving(file, real[file], instance)
        ours = {name: digest(sent) for name, sent in cases.comparable(case.ours).items()}
        if ours != DIGESTS[case.name]:
            wrong.append(case.name)
    assert wrong == [], DIFFER


def test_what_a_job_left_is_served_as_the_sdk_serves_it(
    real: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    tuned = [name for name in DIGESTS if " tuned and served on " in name]
    assert len(tuned) == 3
    for number, name in enumerate(tuned):
        file = name.split(" ")[0]
        trained_on = real[file]["default_training_instance_type"]
        case = cases.tuned(file, real[file], trained_on, tmp_path / str(number))
        ours = {name: digest(sent) for name, sent in cases.comparable(case.ours).items()}
        assert ours == DIGESTS[name], (name, DIFFER)


def test_a_spec_without_images_makes_no_request_here_nor_in_the_sdk(
    real: dict[str, dict[str, Any]],
) -> None:
    none = [name for name, found in DIGESTS.items() if not found and " served on " in name]
    assert {name.split(" ")[0] for name in none} == {"llama-2-7b_4.25.0", "llama-3-1-8b_2.6.0"}
    for name in none:
        file, instance = name.split(" served on ")
        case = cases.serving(file, real[file], instance)
        assert case.error is not None
        assert "has no serving image" in case.error


def test_the_licence_of_a_real_spec_has_a_public_address(real: dict[str, dict[str, Any]]) -> None:
    for file in ("llama-2-7b_3.0.0", "llama-3-1-70b_2.16.2"):
        spec = flatten(real[file], "us-east-1")
        assert spec.licence == (
            "https://jumpstart-cache-prod-us-east-1.s3.us-east-1.amazonaws.com/"
            f"{real[file]['hosting_eula_key']}"
        )
