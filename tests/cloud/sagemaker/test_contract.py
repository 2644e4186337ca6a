import json
import re
from typing import Any

import pytest

from ragtune.core.errors import CloudError
from ragtune.recipe.schema import Recipe
from ragtune.recipe.tune import Tune
from ragtune_cloud.plan import refuse_differences
from ragtune_cloud.sagemaker import catalog, contract
from ragtune_cloud.sagemaker.contract import SAME_NAME, hyperparameters, terms
from ragtune_cloud.sagemaker.manifest import flatten
from ragtune_cloud.sagemaker.spec import Spec
from tests.cloud.made_up import LLAMA, PUBLISHED


def recipe(**sections: Any) -> Recipe:
    data = {"name": "t", "records": {"source": "r"}, **sections}
    return Recipe.model_validate(data)


@pytest.fixture
def spec() -> Spec:
    path = PUBLISHED / "community_models_specs" / LLAMA / "specs_v3.0.0.json"
    return flatten(json.loads(path.read_text()), "us-east-1")


def test_every_field_of_tune_has_a_term() -> None:
    found = {term.field for term in terms(recipe())}
    for name in Tune.model_fields:
        assert f"tune.{name}" in found or any(f.startswith(f"tune.{name}.") for f in found), name


def test_the_defaults_are_the_cloud_jobs(spec: Spec) -> None:
    assert {term.verdict for term in terms(recipe())} == {"same"}
    assert {term.verdict for term in terms(recipe(), spec)} == {"same"}


def test_everything_travels_as_text() -> None:
    wire = hyperparameters(recipe())
    assert all(isinstance(value, str) for value in wire.values())
    assert wire["epoch"] == "5"
    assert wire["instruction_tuned"] == "True"
    assert wire["seed"] == "10"
    assert set(SAME_NAME) <= set(wire)


def test_what_only_the_local_side_does_has_no_equivalent() -> None:
    local = recipe(tune={"local": {"loss": "completion"}})
    (term,) = [t for t in terms(local) if t.field == "tune.local.loss"]
    assert (term.wire, term.verdict) == (None, "no equivalent")


def test_what_has_no_equivalent_refuses_unless_it_is_named() -> None:
    found = terms(recipe(tune={"local": {"loss": "completion", "layout": "rows"}}))
    flags = "--accept-difference tune.local.layout --accept-difference tune.local.loss"
    with pytest.raises(CloudError, match=re.escape(flags)):
        refuse_differences(found, [], "JumpStart")
    with pytest.raises(CloudError, match=r"accept it: --accept-difference tune.local.layout$"):
        refuse_differences(found, ["tune.local.loss"], "JumpStart")
    refuse_differences(found, ["tune.local.loss", "tune.local.layout"], "JumpStart")
    with pytest.raises(CloudError, match=r"tune\.epoch: no such difference"):
        refuse_differences(found, ["tune.epoch"], "JumpStart")


def test_a_model_version_without_the_hyperparameter_takes_only_what_it_does_anyway(
    spec: Spec,
) -> None:
    assert "target_modules" not in hyperparameters(recipe(), spec)
    wide = recipe(tune={"target_modules": "q_proj,k_proj"})
    (term,) = [t for t in terms(wide, spec) if t.field == "tune.target_modules"]
    assert (term.wire, term.verdict) == (None, "no equivalent")


def test_the_separator_is_the_demarcation_key_or_nothing() -> None:
    def term(separator: str) -> tuple[str | None, str]:
        made = recipe(template={"separator": separator})
        (found,) = [t for t in terms(made) if t.field == "template.separator"]
        return found.wire, hyperparameters(made)["add_input_output_demarcation_key"]

    assert term("\n\n### Response:\n") == ("add_input_output_demarcation_key=True", "True")
    assert term("") == ("add_input_output_demarcation_key=False", "False")
    assert term("Answer:")[0] is None


def test_a_chat_is_not_the_containers_form() -> None:
    found = terms(recipe(template="chat"))
    (term,) = [t for t in found if t.field == "template.format"]
    assert (term.wire, term.verdict) == (None, "no equivalent")
    with pytest.raises(CloudError, match=r"^template\.format: JumpStart has no equivalent") as told:
        refuse_differences(found, [], "JumpStart")
    assert "\n" not in str(told.value)


def test_accumulation_that_is_not_the_instances_gpus_differs() -> None:
    one_gpu = recipe(cloud={"instance_type": "ml.g5.2xlarge"})
    (term,) = [t for t in terms(one_gpu) if t.field.endswith("accumulation_steps")]
    assert term.verdict == "differs: ml.g5.2xlarge has 1 GPUs, so a step takes other samples"


def test_hyperparameters_out_of_the_models_bounds_are_named_with_what_is_allowed(
    spec: Spec,
) -> None:
    assert contract.faults(recipe(), spec) == []
    rows = tuple(
        row if row.name != "epoch" else type(row)("epoch", "int", "5", 1, 3)
        for row in spec.hyperparameters
    )
    narrow = type(spec)(**{**spec.__dict__, "hyperparameters": rows})
    assert contract.faults(recipe(), narrow) == ["epoch: 5; allowed: int, 1 to 3"]


def test_prices_are_those_published() -> None:
    assert catalog.usd_per_hour("ml.g5.12xlarge") == 7.09
    assert catalog.gpus("ml.g5.12xlarge") == 4
    assert catalog.usd_per_hour("ml.unknown") is None
