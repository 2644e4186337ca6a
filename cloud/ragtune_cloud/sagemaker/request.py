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
from ragtune_cloud.sagemaker.serving import own_disks
from ragtune_cloud.sagemaker.spec import Spec

DEFAULT_VOLUME_GB = 30
SPOT_PATIENCE = 2
"""A spot job may wait as long again as it may run."""
GATED = "SageMakerGatedModelS3Uri"
"""The environment variable by which the container finds gated weights."""
MODEL_CHANNEL = "application/x-sagemaker-model"


def training_request(
    recipe: Recipe,
    spec: Spec,
    names: Names,
    cost: Cost,
    tags: dict[str, str],
    *,
    eula: bool,
) -> dict[str, Any]:
    """The whole request; the account's number is left as ``<account>``.

    It says that the licence is accepted only where ``eula`` says that the user did.

    Raises CloudError where the model has nothing for the instance type.
    """
    cloud = recipe.cloud
    instance = cloud.instance_type
    request: dict[str, Any] = {
        "TrainingJobName": names.job,
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{cloud.role or '<cloud.role>'}",
        "AlgorithmSpecification": {
            "TrainingImage": spec.image(instance),
            "TrainingInputMode": "File",
            "MetricDefinitions": spec.metrics_on(instance),
        },
        "HyperParameters": _hyperparameters(recipe, spec, names),
        "InputDataConfig": _channels(spec, instance, names, eula=eula),
        "OutputDataConfig": _output(spec, names),
        "ResourceConfig": {
            "InstanceType": instance,
            "InstanceCount": cloud.instance_count,
            "VolumeSizeInGB": _volume(spec, instance),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": cost.max_runtime_seconds},
        "Environment": _environment(spec, instance, eula=eula),
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
    container = spec.container_on(recipe.cloud.instance_type)
    level = container.pop("sagemaker_container_log_level", "20")
    texts = {
        **contract.hyperparameters(recipe, spec),
        **container,
        "sagemaker_job_name": names.job,
        "sagemaker_region": spec.region,
    }
    encoded = {name: json.dumps(value) for name, value in texts.items()}
    return {**encoded, "sagemaker_container_log_level": level}


def _channels(spec: Spec, instance: str, names: Names, *, eula: bool) -> list[dict[str, Any]]:
    found = [_channel("training", names.training)]
    if weights := spec.model_uri(instance):
        model = _channel("model", weights)
        model |= {"ContentType": MODEL_CHANNEL, "InputMode": "File"}
        if spec.needs_eula and eula:
            model["DataSource"]["S3DataSource"]["ModelAccessConfig"] = {"AcceptEula": True}
        found.append(model)
    return [*found, _channel("code", spec.script_uri)]


def _channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _output(spec: Spec, names: Names) -> dict[str, Any]:
    """Uncompressed, the model lies there as a folder: it can be served and imported as it is."""
    compression = {} if spec.compress_output else {"CompressionType": "NONE"}
    return {"S3OutputPath": names.output, **compression}


def _environment(spec: Spec, instance: str, *, eula: bool) -> dict[str, str]:
    """The licence travels here for artefacts that the container fetches itself."""
    environment = spec.environment_on(instance)
    if artefact := spec.gated_artefact(instance):
        environment |= {GATED: artefact}
        if eula:
            environment |= {"accept_eula": "true"}
    return environment


def _volume(spec: Spec, instance: str) -> int:
    if own_disks(instance) or spec.volume_gb is None:
        return DEFAULT_VOLUME_GB
    return spec.volume_gb


def _protect(request: dict[str, Any], recipe: Recipe) -> None:
    """Encryption, isolation, network, spot: as the recipe says."""
    cloud = recipe.cloud
    if cloud.encrypt_traffic:
        request["EnableInterContainerTrafficEncryption"] = True
    if cloud.network_isolation:
        request["EnableNetworkIsolation"] = True
    if cloud.kms_key:
        request["OutputDataConfig"]["KmsKeyId"] = cloud.kms_key
        if not own_disks(cloud.instance_type):  # such disks are encrypted by their hardware
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
