"""Reading JumpStart's own manifest and specs with boto3, the way sagemaker 2 does it.

The manifest is a public S3 object, ``models_manifest.json`` in the region's JumpStart bucket; its
entries name a ``spec_key`` in the same bucket. Only what training and hosting need is kept.
"""

import datetime
import json
from dataclasses import asdict
from typing import Any

from ragtune.core.errors import CloudError
from ragtune_cloud.sagemaker.spec import Hyperparameter, Spec

MANIFEST = "models_manifest.json"
MAX_RUN = 86400
"""Seconds that SageMaker gives a job whose spec names no limit: a day."""


def bucket(region: str, *, gated: bool = False) -> str:
    """JumpStart's bucket of a region; the gated one holds weights under a licence."""
    return f"jumpstart-{'private-' if gated else ''}cache-prod-{region}"


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

    Raises CloudError where the model cannot be fine-tuned.
    """
    if not raw.get("training_supported"):
        raise CloudError(f"{raw['model_id']} {raw['version']} cannot be fine-tuned; name another")
    variants = _Variants(raw.get("training_instance_type_variants") or {}, region)
    gated = {
        name: f"s3://{bucket(region, gated=True)}/{key}"
        for name, key in variants.all("gated_model_key_env_var_value").items()
    }
    script = raw.get("training_prepacked_script_key") or raw["training_script_key"]
    rows = raw["hyperparameters"]
    extra = raw.get("estimator_kwargs", {})
    artefact = f"s3://{bucket(region, gated=bool(raw.get('gated_bucket')))}/"
    return Spec(
        model_id=raw["model_id"],
        version=raw["version"],
        region=region,
        dated=datetime.datetime.now(datetime.UTC).date().isoformat(),
        source=f"s3://{bucket(region)}",
        hyperparameters=tuple(_row(r) for r in rows if r["scope"] == "algorithm"),
        container={r["name"]: str(r["default"]) for r in rows if r["scope"] == "container"},
        instances=tuple(raw["supported_training_instance_types"]),
        images=variants.all("image_uri"),
        gated=gated,
        environment=variants.environment(),
        model_uri=None if gated else artefact + raw["training_artifact_key"],
        script_uri=f"s3://{bucket(region)}/{script}",
        needs_eula=bool(raw.get("gated_bucket") or raw.get("hosting_eula_key")),
        metrics=tuple(raw.get("metrics") or ()),
        max_run=int(extra.get("max_run", MAX_RUN)),
        volume_gb=raw.get("training_volume_size"),
        encrypt_traffic=bool(extra.get("encrypt_inter_container_traffic")),
        network_isolation=bool(raw.get("training_enable_network_isolation")),
        hosting=_hosting(raw, region, artefact),
    )


def to_json(spec: Spec) -> dict[str, Any]:
    """The content of a spec file; bounds that are not there are left out."""
    data = asdict(spec)
    data["hyperparameters"] = [
        {k: v for k, v in row.items() if v not in (None, ())} for row in data["hyperparameters"]
    ]
    return data


def _hosting(raw: dict[str, Any], region: str, artefact: str) -> dict[str, Any]:
    """What an endpoint needs; the base model's weights under ``model_uri``."""
    variants = _Variants(raw.get("hosting_instance_type_variants") or {}, region)
    common = {v["name"]: str(v["default"]) for v in raw.get("inference_environment_variables", [])}
    timeouts = raw.get("deploy_kwargs", {})
    key = raw.get("hosting_prepacked_artifact_key") or raw.get("hosting_artifact_key", "")
    return {
        "instances": raw.get("supported_inference_instance_types", []),
        "default_instance": raw.get("default_inference_instance_type"),
        "images": variants.all("image_uri"),
        "environment": {"": common, **variants.environment()},
        "model_uri": artefact + key,
        "download_timeout": timeouts.get("model_data_download_timeout", 1200),
        "startup_timeout": timeouts.get("container_startup_health_check_timeout", 1200),
        "network_isolation": bool(raw.get("inference_enable_network_isolation")),
    }


class _Variants:
    """JumpStart's values by instance family or type, aliases looked up for one region."""

    def __init__(self, raw: dict[str, Any], region: str) -> None:
        self._variants = raw.get("variants") or {}
        regional = (raw.get("regional_aliases") or {}).get(region, {})
        self._aliases = {**(raw.get("aliases") or {}), **regional}

    def all(self, name: str) -> dict[str, str]:
        """The value of a property for every variant that has it."""
        found = {}
        for key, variant in self._variants.items():
            value = {**variant.get("properties", {}), **variant.get("regional_properties", {})}
            if name in value:
                text = str(value[name])
                text = self._aliases.get(text[1:], "") if text.startswith("$") else text
                if text:
                    found[key] = text
        return found

    def environment(self) -> dict[str, dict[str, str]]:
        """Environment variables by variant."""
        return {
            key: dict(variant["properties"]["environment_variables"])
            for key, variant in self._variants.items()
            if variant.get("properties", {}).get("environment_variables")
        }


def _row(raw: dict[str, Any]) -> Hyperparameter:
    return Hyperparameter(
        raw["name"],
        raw["type"],
        str(raw["default"]),
        raw.get("min"),
        raw.get("max"),
        tuple(raw.get("options", ())),
    )


def _json(s3: Any, region: str, key: str) -> Any:
    return json.loads(s3.get_object(Bucket=bucket(region), Key=key)["Body"].read())


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
