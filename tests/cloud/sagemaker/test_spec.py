"""A spec as sagemaker 2 reads it: configurations, instance types before families, regions."""

import copy
import json
from typing import Any

import pytest

from ragtune.core.errors import CloudError
from ragtune_cloud.sagemaker.manifest import flatten
from ragtune_cloud.sagemaker.preflight import offline
from ragtune_cloud.sagemaker.spec import Spec
from tests.cloud.made_up import LLAMA, PUBLISHED, recipe

US = "us-east-1"


@pytest.fixture
def raw() -> dict[str, Any]:
    path = PUBLISHED / "community_models_specs" / LLAMA / "specs_v3.0.0.json"
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def configured(raw: dict[str, Any]) -> dict[str, Any]:
    """The spec with its serving moved into components, as newer ones have it."""
    made = copy.deepcopy(raw)
    variants = made.pop("hosting_instance_type_variants")
    slow = {
        "hosting_instance_type_variants": variants,
        "default_inference_instance_type": "ml.g5.4xlarge",
        "supported_inference_instance_types": ["ml.g5.4xlarge", "ml.g5.12xlarge"],
        "gated_bucket": False,
    }
    fast = {
        "default_inference_instance_type": "ml.g5.8xlarge",
        "hosting_instance_type_variants": {
            **variants,
            "variants": {"ml.g5.8xlarge": {"regional_properties": {"image_uri": "$gpu_ecr_uri_1"}}},
        },
    }
    made["inference_config_components"] = {"a-slow": slow, "fast": fast}
    made["inference_configs"] = {
        "fast": {"component_names": ["fast"]},
        "a-slow": {"component_names": ["a-slow"]},
    }
    made["inference_config_rankings"] = {"overall": {"rankings": ["fast", "a-slow"]}}
    return made


def test_the_first_ranked_configuration_is_laid_over_the_spec(raw: dict[str, Any]) -> None:
    found = flatten(configured(raw), US).serving
    assert (found.config, found.default_instance) == ("fast", "ml.g5.8xlarge")
    assert found.image("ml.g5.8xlarge", "m")
    with pytest.raises(CloudError, match=r"ml\.g5\.4xlarge: m has no serving image for g5"):
        found.image("ml.g5.4xlarge", "m")
    unranked = configured(raw)
    del unranked["inference_config_rankings"]
    first = flatten(unranked, US).serving
    assert (first.config, first.default_instance) == ("a-slow", "ml.g5.4xlarge")
    assert first.instances == ("ml.g5.4xlarge", "ml.g5.12xlarge")
    assert first.environment_on("ml.g5.12xlarge")["SM_NUM_GPUS"] == "4"
    assert first.weights(
        "ml.g5.4xlarge",
    ) == flatten(raw, US).serving.weights("ml.g5.4xlarge")


def test_an_instance_type_comes_before_its_family(raw: dict[str, Any]) -> None:
    variants = raw["training_instance_type_variants"]
    variants["regional_aliases"][US]["other"] = "the image of one type"
    rows = [{"name": "epoch", "type": "int", "default": 9, "min": 2, "max": 3}]
    own = {
        "environment_variables": {"SELF_DESTRUCT": "false", "OWN": "1"},
        "gated_model_key_env_var_value": "own.tar.gz",
        "hyperparameters": [{**rows[0], "scope": "algorithm"}],
        "metrics": [{"Name": "huggingface-textgeneration:eval-ppl", "Regex": "own"}],
    }
    variants["variants"]["ml.g5.24xlarge"] = {
        "regional_properties": {"image_uri": "$other"},
        "properties": own,
    }
    variants["variants"]["g5"]["properties"]["metrics"] = [
        {"Name": "huggingface-textgeneration:eval-ppl", "Regex": "family's"},
        {"Name": "seconds", "Regex": "s"},
    ]
    spec = flatten(raw, US)
    big, usual = "ml.g5.24xlarge", "ml.g5.12xlarge"
    assert spec.image(big) == "the image of one type" != spec.image(usual)
    assert spec.environment_on(big) == {"SELF_DESTRUCT": "false", "OWN": "1"}
    assert spec.environment_on(usual) == {"SELF_DESTRUCT": "true"}
    assert str(spec.gated_artefact(big)).endswith("/own.tar.gz")
    assert [m["Regex"] for m in spec.metrics_on(big) if "ppl" in m["Name"]] == ["own"]
    assert [m["Regex"] for m in spec.metrics_on(usual) if "ppl" in m["Name"]] == ["family's"]
    epochs = {i: {r.name: r for r in spec.hyperparameters_on(i)}["epoch"] for i in (big, usual)}
    assert (epochs[big].default, epochs[big].max) == ("9", 3)
    assert epochs[usual].default == "5"
    assert len(spec.hyperparameters_on(big)) == len(spec.hyperparameters)
    read_again = Spec.from_json(json.loads(json.dumps(spec.to_json())))
    assert read_again == spec


def test_a_type_without_gated_weights_takes_those_of_the_others_if_these_agree(
    raw: dict[str, Any],
) -> None:
    spec = flatten(raw, US)
    with pytest.raises(CloudError, match=r"has no training artefact for p3dn; allowed: ml\.g5\."):
        spec.gated_artefact("ml.p3dn.24xlarge")
    raw["supported_training_instance_types"] = ["ml.g5.12xlarge", "ml.g5.24xlarge"]
    assert flatten(raw, US).gated_artefact("ml.g4dn.12xlarge") == spec.gated_artefact(
        "ml.g5.12xlarge"
    )


def test_weights_of_the_first_generation_are_a_model_packages(raw: dict[str, Any]) -> None:
    raw["training_instance_type_variants"]["variants"]["g5"].pop("properties")
    raw["training_model_package_artifact_uris"] = {US: "s3://packages/weights"}
    raw["hosting_model_package_arns"] = {US: "arn:aws:sagemaker:us-east-1::model-package/m"}
    spec = flatten(raw, US)
    assert spec.gated_artefact("ml.g5.12xlarge") == "s3://packages/weights"
    assert spec.model_uri("ml.g5.12xlarge") is None
    served = spec.serving.base("ml.g5.2xlarge", "m", eula=True)
    assert served == {"Containers": [{"ModelPackageName": raw["hosting_model_package_arns"][US]}]}
    tuned = spec.serving.tuned("ml.g5.2xlarge", "m", "s3://b/model.tar.gz", eula=True)
    assert tuned["PrimaryContainer"]["ModelDataUrl"] == "s3://b/model.tar.gz"
    assert tuned["PrimaryContainer"]["Image"]
    with pytest.raises(CloudError, match=r"^cloud\.region: eu-west-1: .* allowed: us-east-1"):
        flatten(raw, "eu-west-1")


def test_an_uncompressed_output_is_asked_for_and_served_as_a_folder(raw: dict[str, Any]) -> None:
    raw["estimator_kwargs"]["disable_output_compression"] = True
    spec = flatten(raw, US)
    assert not spec.compress_output
    left = spec.serving.tuned("ml.g5.2xlarge", "m", "s3://b/output/model/", eula=True)
    source = left["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    assert source == {
        "S3Uri": "s3://b/output/model/",
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
    }


def test_variables_that_the_sdks_model_class_sets_itself_are_left_to_it(
    raw: dict[str, Any],
) -> None:
    raw["inference_environment_variables"].append(
        {"name": "SAGEMAKER_CONTAINER_LOG_LEVEL", "default": "20", "type": "text"}
    )
    raw["inference_environment_variables"].append(
        {"name": "BATCH", "default": 8, "type": "int", "required_for_model_class": True}
    )
    environment = flatten(raw, US).serving.environment
    assert "SAGEMAKER_CONTAINER_LOG_LEVEL" not in environment
    assert environment["BATCH"] == "8"


def test_a_draft_model_goes_with_the_container(raw: dict[str, Any]) -> None:
    source = {"compression_type": "None", "s3_data_type": "S3Prefix", "s3_uri": "small/"}
    draft = {
        "channel_name": "draft_model",
        "hosting_eula_key": "eula.txt",
        "provider": {"name": "JumpStart", "classification": "gated"},
        "s3_data_source": source,
    }
    raw["hosting_additional_data_sources"] = {"speculative_decoding": [draft]}
    served = flatten(raw, US).serving.base("ml.g5.2xlarge", "m", eula=True)
    (found,) = served["PrimaryContainer"]["AdditionalModelDataSources"]
    assert found["S3DataSource"]["S3Uri"] == "s3://jumpstart-private-cache-prod-us-east-1/small/"
    assert found["S3DataSource"]["ModelAccessConfig"] == {"AcceptEula": True}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hosting_instance_type_variants": None}, "has no serving image for g5 in this region"),
        ({"default_inference_instance_type": None}, "is served on no instance type by default"),
        (
            {"hosting_prepacked_artifact_key": None, "hosting_artifact_key": None},
            "has no weights to serve",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_before_training_is_paid(
    raw: dict[str, Any], change: dict[str, Any], said: str
) -> None:
    found = offline._serving(recipe(), flatten({**raw, **change}, US))
    assert found.status == "failed"
    assert said in found.detail
    assert "another cloud.model_version may have it" in found.detail


def test_a_serving_instance_without_a_price_is_a_warning_with_the_remedy(
    raw: dict[str, Any],
) -> None:
    raw |= {
        "default_inference_instance_type": "ml.p9.huge",
        "supported_inference_instance_types": ["ml.p9.huge"],
    }
    variants = raw["hosting_instance_type_variants"]["variants"]
    variants["p9"] = variants["g5"]
    spec = flatten(raw, US)
    found = offline._serving(recipe(), spec)
    assert found.status == "warning"
    assert "--set 'cloud.prices={ml.p9.huge: USD}'" in found.detail
    priced = offline._serving(recipe(cloud={"prices": {"ml.p9.huge": 2.0}}), spec)
    assert priced.detail.startswith("ml.p9.huge at $2.00 an hour each, $48.00 a day")


def test_what_of_a_spec_is_not_understood_is_named(raw: dict[str, Any]) -> None:
    raw["estimator_kwargs"]["keep_alive_period_in_seconds"] = 60
    told = offline._model(recipe(), flatten(raw, US))
    assert told.status == "warning"
    assert "keep_alive_period_in_seconds, which is not in the request" in told.detail
