"""Fine-tuning in Bedrock, as a plan."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.validate import validate_parameters

from ragtune.recipe.schema import Recipe
from ragtune_cloud.bedrock import tuning
from ragtune_cloud.bedrock.folder import BedrockFolder
from ragtune_cloud.sagemaker.request import filled
from tests.cloud.fake import ACCOUNT, wire
from tests.cloud.made_up import make_run, recipe

INSTRUCT = "meta-textgeneration-llama-3-1-8b-instruct"


def of(tmp_path: Path, made: Recipe) -> tuning.TuningPlan:
    return tuning.plan(made, make_run(tmp_path / "run", made))


def test_every_field_that_shapes_training_is_named(tmp_path: Path) -> None:
    made = recipe(model={"jumpstart": INSTRUCT}, cloud={"region": "us-west-2"})
    found = of(tmp_path, made)
    terms = {term.field: term for term in found.terms}
    shaping = {f"tune.{name}" for name in type(made.tune).model_fields}
    elsewhere = {"local", "search", "adapters", "with_passages", "instruction_tuned"}
    apart = {f"tune.{name}" for name in (*elsewhere, "gradient_accumulation_steps")}
    assert shaping - apart <= terms.keys()
    assert terms["tune.epoch"].verdict == "same"
    assert terms["tune.learning_rate"].wire == "learningRate=0.0001"
    assert terms["tune.lora_r"].verdict == "no equivalent"
    assert "rows a step here, 1 there" in terms["tune.per_device_train_batch_size"].verdict
    assert sum(term.verdict == "no equivalent" for term in found.terms) >= 10
    assert {check.status for check in found.checks.values()} == {"ok"}
    assert found.costs["usd_training"] is None
    assert found.costs["tokens"] > 0
    assert json.loads((tmp_path / "run/cloud/bedrock/tuning.json").read_text())["teardown"]


@pytest.mark.parametrize(
    ("sections", "check", "told"),
    [
        ({"model": {"jumpstart": "meta-textgeneration-llama-2-7b"}}, "model", "not tuned in"),
        ({"cloud": {"region": "us-east-1"}}, "region", "allowed: us-west-2"),
        ({"tune": {"epoch": 11}}, "hyperparameters", "epochCount: allowed 1 to 10"),
        ({"tune": {"learning_rate": 1e-6}}, "hyperparameters", "learningRate: allowed 5e-06"),
    ],
)
def test_what_bedrock_would_not_take_is_said(
    tmp_path: Path, sections: dict[str, Any], check: str, told: str
) -> None:
    base: dict[str, Any] = {"model": {"jumpstart": INSTRUCT}, "cloud": {"region": "us-west-2"}}
    for name, section in sections.items():
        base[name] = {**base.get(name, {}), **section}
    found = of(tmp_path, recipe(**base)).checks[check]
    assert (found.status, told in found.detail) == ("failed", True), found.detail


def test_the_request_is_one_that_botocore_knows_and_the_command_sends_nothing(
    tmp_path: Path, called: Any
) -> None:
    made = recipe(model={"jumpstart": INSTRUCT}, cloud={"region": "us-west-2"})
    run = make_run(tmp_path / "run", made)
    code, out, err = called("cloud", "bedrock", "tuning", run.path)
    assert code == 0, err
    assert "nothing was sent; the tuned model would not be the one that was measured" in out
    assert "served provisioned throughput, by the hour, asked or not" in out
    request = filled(json.loads(BedrockFolder(run).tuning.read_text())["request"], ACCOUNT)
    shape = wire.model("bedrock").operation_model("CreateModelCustomizationJob").input_shape
    validate_parameters(request, shape)
    assert list(wire.faults(shape, request)) == []
