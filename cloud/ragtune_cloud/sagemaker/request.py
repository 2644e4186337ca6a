r"""The ``create_training_job`` request, as sagemaker 2's JumpStartEstimator makes it.

The estimator's hyperparameters are JSON texts inside texts (``"\"5\""``), and it adds some of
its own. ``scripts/jumpstart/check`` holds this module against the real SDK.
"""

import json
from collections.abc import Mapping
from typing import Any

from ragtune.recipe.schema import Recipe
from ragtune_cloud.sagemaker import contract
from ragtune_cloud.sagemaker.cost import Cost
from ragtune_cloud.sagemaker.names import ACCOUNT, IDENTITY_TAG, VERSION_TAG, Names
from ragtune_cloud.sagemaker.spec import Spec, family

LOCAL_DISKS = ("g5", "g6", "p5", "trn1")
"""Instance families, besides those with a d in their name, that come with disks of their own."""
DEFAULT_VOLUME_GB = 30
SPOT_PATIENCE = 2
"""A spot job may wait as long again as it may run."""
MODEL_CHANNEL = "application/x-sagemaker-model"


def training_request(
    recipe: Recipe, spec: Spec, names: Names, cost: Cost, tags: dict[str, str]
) -> dict[str, Any]:
    """The whole request; the account's number is left as ``<account>``.

    Raises CloudError where the model has nothing for the instance's family.
    """
    cloud = recipe.cloud
    instance = cloud.instance_type
    request: dict[str, Any] = {
        "TrainingJobName": names.job,
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{cloud.role or '<cloud.role>'}",
        "AlgorithmSpecification": {
            "TrainingImage": spec.image(instance),
            "TrainingInputMode": "File",
            "MetricDefinitions": [dict(metric) for metric in spec.metrics],
        },
        "HyperParameters": _hyperparameters(recipe, spec, names),
        "InputDataConfig": _channels(spec, instance, names),
        "OutputDataConfig": {"S3OutputPath": names.output},
        "ResourceConfig": {
            "InstanceType": instance,
            "InstanceCount": cloud.instance_count,
            "VolumeSizeInGB": _volume(spec, instance),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": cost.max_runtime_seconds},
        "Environment": _environment(spec, instance),
        "DebugHookConfig": {"S3OutputPath": names.output, "CollectionConfigurations": []},
        "ProfilerConfig": {"S3OutputPath": names.output, "DisableProfiler": False},
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    _protect(request, recipe)
    return request


def filled(request: dict[str, Any], account: str) -> dict[str, Any]:
    """The request as it is sent: with the account's number."""
    whole: dict[str, Any] = json.loads(json.dumps(request).replace(ACCOUNT, account))
    return whole


def _hyperparameters(recipe: Recipe, spec: Spec, names: Names) -> dict[str, str]:
    texts = {
        **contract.hyperparameters(recipe, spec),
        **{k: v for k, v in spec.container.items() if k != "sagemaker_container_log_level"},
        "sagemaker_job_name": names.job,
        "sagemaker_region": spec.region,
    }
    level = spec.container.get("sagemaker_container_log_level", "20")
    encoded = {name: json.dumps(value) for name, value in texts.items()}
    return {**encoded, "sagemaker_container_log_level": level}


def _channels(spec: Spec, instance: str, names: Names) -> list[dict[str, Any]]:
    found = [_channel("training", names.training)]
    if spec.gated_artefact(instance) is None and spec.model_uri:
        model = _channel("model", spec.model_uri)
        model |= {"ContentType": MODEL_CHANNEL, "InputMode": "File"}
        if spec.needs_eula:
            model["DataSource"]["S3DataSource"]["ModelAccessConfig"] = {"AcceptEula": True}
        found.append(model)
    return [*found, _channel("code", spec.script_uri)]


def _channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _environment(spec: Spec, instance: str) -> dict[str, str]:
    """The licence travels here for artefacts that the container fetches itself."""
    environment = spec.extra_environment(instance)
    if artefact := spec.gated_artefact(instance):
        environment |= {"accept_eula": "true", "SageMakerGatedModelS3Uri": artefact}
    return environment


def _volume(spec: Spec, instance: str) -> int:
    if _own_disks(instance) or spec.volume_gb is None:
        return DEFAULT_VOLUME_GB
    return spec.volume_gb


def _own_disks(instance: str) -> bool:
    return "d" in family(instance) or family(instance).startswith(LOCAL_DISKS)


def _protect(request: dict[str, Any], recipe: Recipe) -> None:
    """Encryption, isolation, network, spot: as the recipe says."""
    cloud = recipe.cloud
    if cloud.encrypt_traffic:
        request["EnableInterContainerTrafficEncryption"] = True
    if cloud.network_isolation:
        request["EnableNetworkIsolation"] = True
    if cloud.kms_key:
        request["OutputDataConfig"]["KmsKeyId"] = cloud.kms_key
        if not _own_disks(cloud.instance_type):  # such disks are encrypted by their hardware
            request["ResourceConfig"]["VolumeKmsKeyId"] = cloud.kms_key
    if cloud.subnets:
        request["VpcConfig"] = {
            "Subnets": cloud.subnets,
            "SecurityGroupIds": cloud.security_groups,
        }
    if cloud.spot:
        request["EnableManagedSpotTraining"] = True
        stop = request["StoppingCondition"]
        stop["MaxWaitTimeInSeconds"] = SPOT_PATIENCE * stop["MaxRuntimeInSeconds"]


def job_tags(
    recipe: Recipe, spec: Spec, hashes: Mapping[str, str], notes: Mapping[str, str]
) -> dict[str, str]:
    """What the job carries: JumpStart's own tags, the recipe's identity, the data's hashes.

    ``notes`` say what was overridden or accepted; the recipe's own tags come last.
    """
    return {
        "sagemaker-sdk:jumpstart-model-id": spec.model_id,
        VERSION_TAG: spec.version,
        IDENTITY_TAG: recipe.identity,
        **hash_tags(hashes),
        **{f"ragtune:{name}": _tag_value(value) for name, value in notes.items()},
        **recipe.cloud.tags,
    }


def hash_tags(hashes: Mapping[str, str]) -> dict[str, str]:
    """A tag for the SHA-256 of each file that is trained on."""
    return {f"ragtune:sha256:{name}": value for name, value in hashes.items()}


def _tag_value(text: str) -> str:
    """AWS allows letters, digits, spaces and ``_ . : / = + - @``, at most 256."""
    return "".join(c if c.isalnum() or c in " _.:/=+-@" else "_" for c in text)[:256]
