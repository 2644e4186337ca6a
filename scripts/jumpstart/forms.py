"""JumpStart specs in other people's forms, as JumpStart's own.

Serving parts of specs are published in camel case by another project's tests; such a part is a
whole spec for serving, but says nothing of training.
"""

import json
from pathlib import Path
from typing import Any


def read_specs(folder: Path) -> dict[str, dict[str, Any]]:
    """JumpStart's specs in a folder, and its ``serving`` parts below it, by the files' names."""
    whole = {path.stem: _content(path) for path in sorted(folder.glob("*.json"))}
    parts = {path.stem: as_spec(_content(path)) for path in sorted(folder.glob("serving/*.json"))}
    return {**whole, **parts}


def as_spec(part: dict[str, Any]) -> dict[str, Any]:
    """A serving part in JumpStart's own form, with as much of training as a reader insists on.

    The part does not say which variables the SDK's model class needs, so all count as needed.
    """
    aliases = {row["region"]: row["aliases"] for row in part.get("instanceAliases", ())}
    variants = {row["instanceType"]: _variant(row) for row in part.get("instanceVariants", ())}
    hosting = {"regional_aliases": aliases, "variants": variants} if variants else None
    return {
        "model_id": part["modelId"],
        "version": part["version"],
        "url": "",
        "min_sdk_version": "2.0.0",
        "training_supported": True,
        "incremental_training_supported": False,
        "hosting_artifact_key": part["artifactKey"],
        "hosting_prepacked_artifact_key": part["prepackedArtifactKey"],
        "hosting_script_key": "",
        "hosting_eula_key": part["requiresEula"],
        "gated_bucket": part["gatedBucket"],
        "default_inference_instance_type": part["defaultInstanceType"],
        "supported_inference_instance_types": part["instanceTypes"],
        "inference_environment_variables": [
            {
                "name": name,
                "type": "text",
                "default": value,
                "scope": "container",
                "required_for_model_class": True,
            }
            for name, value in part["environment"].items()
        ],
        "hosting_instance_type_variants": hosting,
        "inference_enable_network_isolation": True,
        "inference_vulnerable": False,
        "inference_dependencies": [],
        "inference_vulnerabilities": [],
        "training_vulnerable": False,
        "training_dependencies": [],
        "training_vulnerabilities": [],
        "deprecated": False,
        "hyperparameters": [],
        "metrics": [],
        "training_script_key": "",
        "training_artifact_key": "",
        "supported_training_instance_types": [],
        "resource_name_base": part["modelId"],
    }


def _variant(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "imageUri" in row:
        found["regional_properties"] = {"image_uri": row["imageUri"]}
    if "environment" in row:
        found["properties"] = {"environment_variables": row["environment"]}
    return found


def _content(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
