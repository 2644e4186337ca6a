"""Reading JumpStart's own manifest and specs, the way sagemaker 2 does it, without an account.

The manifest is a public S3 object, ``models_manifest.json`` in the region's JumpStart bucket; its
entries name a ``spec_key`` in the same bucket. Only what training and serving need is kept.
"""

import datetime
import functools
import itertools
import json
from typing import Any

from ragtune.core.errors import CloudError
from ragtune_cloud.sagemaker.configs import as_served, first_config
from ragtune_cloud.sagemaker.serving import Draft, Serving
from ragtune_cloud.sagemaker.spec import Hyperparameter, Spec
from ragtune_cloud.sagemaker.variants import Variants

MANIFEST = "models_manifest.json"
MAX_RUN = 86400
"""Seconds that SageMaker gives a job whose spec names no limit: a day."""
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
READ = {"max_run", "encrypt_inter_container_traffic", "disable_output_compression"}
"""What of ``estimator_kwargs`` is read."""


def bucket(region: str, *, gated: bool = False) -> str:
    """JumpStart's bucket of a region; the gated one holds weights under a licence."""
    return f"jumpstart-{'private-' if gated else ''}cache-prod-{region}"


def public_client(region: str) -> Any:
    """An S3 client that signs nothing, for what anybody may read; without credentials.

    Raises CloudError where boto3 is missing, or SageMaker is in no region of that name.
    """
    try:
        import boto3
        from botocore import UNSIGNED
        from botocore.config import Config
    except ImportError:
        raise CloudError("boto3 is missing; install ragtune[cloud]") from None
    check_region(region)
    unsigned = Config(signature_version=UNSIGNED, connect_timeout=10, read_timeout=60)
    return boto3.client("s3", region_name=region, config=unsigned)


def check_region(region: str) -> None:
    """Raise CloudError where boto3 knows no region of that name for SageMaker."""
    known = _regions()
    if known and region not in known:
        import difflib

        close = difflib.get_close_matches(region, known, 1) or ["us-east-1"]
        raise CloudError(
            f"cloud.region: {region}: SageMaker is in no such region; for example {close[0]}"
        )


@functools.cache
def _regions() -> tuple[str, ...]:
    try:
        import boto3
    except ImportError:
        return ()
    session = boto3.Session()
    found = (session.get_available_regions("sagemaker", part) for part in PARTITIONS)
    return tuple(itertools.chain.from_iterable(found))


def resolve(s3: Any, model_id: str, version: str | None, region: str) -> Spec:
    """Read a model's spec from JumpStart; ``version`` None takes the newest.

    Raises CloudError where the model or the version is not there.
    """
    manifest = _json(s3, region, MANIFEST)
    versions = {row["version"]: row for row in manifest if row["model_id"] == model_id}
    if not versions:
        known = sorted({r["model_id"] for r in manifest if r["model_id"].startswith("meta-text")})
        raise CloudError(
            f"model.jumpstart: {model_id}: not in JumpStart's manifest of {region}; "
            f"it has {', '.join(known) or 'no such family'}"
        )
    newest = max(versions, key=_order)
    if (version or newest) not in versions:
        raise CloudError(
            f"cloud.model_version: {version}: {model_id} has {', '.join(sorted(versions))}"
        )
    found = versions[version or newest]
    return flatten(_json(s3, region, found["spec_key"]), region)


def flatten(raw: dict[str, Any], region: str) -> Spec:
    """The spec of one region from JumpStart's own form.

    Raises CloudError where the model cannot be fine-tuned, or not in that region.
    """
    if not raw.get("training_supported"):
        raise CloudError(f"{raw['model_id']} {raw['version']} cannot be fine-tuned; name another")
    training = Variants.of_region(raw.get("training_instance_type_variants"), region)
    instances = tuple(raw["supported_training_instance_types"])
    rows = raw["hyperparameters"]
    extra = raw.get("estimator_kwargs") or {}
    package = _of_region(raw, "training_model_package_artifact_uris", region)
    named = any(training.value("gated_model_key_env_var_value", one) for one in instances)
    root, gated = _roots(raw, region)
    eula = raw.get("hosting_eula_key")
    script = raw.get("training_prepacked_script_key") or raw["training_script_key"]
    return Spec(
        model_id=raw["model_id"],
        version=raw["version"],
        region=region,
        dated=datetime.datetime.now(datetime.UTC).date().isoformat(),
        source=f"s3://{bucket(region)}",
        hyperparameters=tuple(map(Hyperparameter.from_json, _scoped(rows, "algorithm"))),
        container={row["name"]: str(row["default"]) for row in _scoped(rows, "container")},
        instances=instances,
        training=training,
        channel=not named and package is None and raw.get("training_artifact_key") is not None,
        artefact_root=root,
        artefact_key=raw.get("training_artifact_key"),
        gated_root=gated,
        gated=package,
        script_uri=f"s3://{bucket(region)}/{script}",
        needs_eula=bool(raw.get("gated_bucket") or eula),
        licence=_public_address(eula, region) if eula else None,
        metrics=tuple(raw.get("metrics") or ()),
        max_run=int(extra.get("max_run", MAX_RUN)),
        volume_gb=raw.get("training_volume_size"),
        encrypt_traffic=bool(extra.get("encrypt_inter_container_traffic")),
        network_isolation=bool(raw.get("training_enable_network_isolation")),
        compress_output=not extra.get("disable_output_compression"),
        unread=tuple(sorted(set(extra) - READ)),
        huggingface_id=raw.get("huggingface_id"),
        serving=_serving(raw, region),
    )


def _serving(raw: dict[str, Any], region: str) -> Serving:
    """What an endpoint needs, with the first inference configuration laid over the spec."""
    served = as_served(raw)
    variables = served.get("inference_environment_variables") or []
    timeouts = served.get("deploy_kwargs") or {}
    prepacked = served.get("hosting_prepacked_artifact_key")
    return Serving(
        config=first_config(raw),
        instances=tuple(served.get("supported_inference_instance_types") or ()),
        default_instance=served.get("default_inference_instance_type"),
        variants=Variants.of_region(served.get("hosting_instance_type_variants"), region),
        # The SDK's model class sets the others by itself, where it packs a script of its own.
        environment={
            variable["name"]: str(variable["default"])
            for variable in variables
            if variable.get("required_for_model_class")
        },
        artefacts=_roots(served, region)[0],
        key=prepacked or served.get("hosting_artifact_key"),
        key_property="prepacked_artifact_key" if prepacked else "artifact_key",
        package=_of_region(served, "hosting_model_package_arns", region),
        drafts=_drafts(served, region),
        download_timeout=timeouts.get("model_data_download_timeout"),
        startup_timeout=timeouts.get("container_startup_health_check_timeout"),
        volume_gb=served.get("inference_volume_size"),
        network_isolation=bool(served.get("inference_enable_network_isolation")),
    )


def _drafts(served: dict[str, Any], region: str) -> tuple[Draft, ...]:
    """The small models that a configuration with speculative decoding draws its drafts from."""
    sources = (served.get("hosting_additional_data_sources") or {}).get("speculative_decoding")
    return tuple(
        Draft(
            source["channel_name"],
            f"s3://{_draft_bucket(source, region)}/{source['s3_data_source']['s3_uri']}",
            source["s3_data_source"]["s3_data_type"],
            source["s3_data_source"]["compression_type"],
            bool(source.get("hosting_eula_key")),
        )
        for source in sources or ()
    )


def _draft_bucket(source: dict[str, Any], region: str) -> str:
    provider = source.get("provider") or {}
    if provider.get("name") == "JumpStart":
        return bucket(region, gated=provider.get("classification") == "gated")
    return f"sagemaker-sd-models-prod-{region}"


def _roots(raw: dict[str, Any], region: str) -> tuple[str, str]:
    """The S3 addresses of the bucket with the model's artefacts, and of the gated one."""
    gated = f"s3://{bucket(region, gated=True)}/"
    return (gated if raw.get("gated_bucket") else f"s3://{bucket(region)}/"), gated


def _of_region(raw: dict[str, Any], field: str, region: str) -> str | None:
    by_region = raw.get(field) or {}
    if by_region and region not in by_region:
        raise CloudError(
            f"cloud.region: {region}: {raw['model_id']} {raw['version']} is not there; "
            f"allowed: {', '.join(sorted(by_region))}, or another cloud.model_version"
        )
    return by_region.get(region)


def _public_address(key: str, region: str) -> str:
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{bucket(region)}.s3.{region}.{domain}/{key}"


def _scoped(rows: list[dict[str, Any]], scope: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["scope"] == scope]


def _json(s3: Any, region: str, key: str) -> Any:
    from botocore.exceptions import ClientError

    try:
        return json.loads(s3.get_object(Bucket=bucket(region), Key=key)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchBucket", "404"}:
            raise CloudError(
                f"cloud.region: {region}: JumpStart is not there; us-east-1 has all its models"
            ) from None
        raise


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
