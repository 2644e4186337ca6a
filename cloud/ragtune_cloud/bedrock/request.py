"""The ``create_model_import_job`` request, as it can be reviewed: without the account's number."""

import re
from collections.abc import Mapping
from typing import Any

from ragtune.recipe.schema import Recipe
from ragtune_cloud.bedrock.names import ImportNames
from ragtune_cloud.sagemaker.names import ACCOUNT, IDENTITY_TAG

MODEL_TAG = "ragtune:model"
"""The tag with the hash of what is imported."""
_UNTAGGABLE = re.compile(r"[^\w\s.:/=+@-]", re.ASCII)


def role_of(recipe: Recipe) -> str | None:
    """The name of the role that Bedrock reads the model with."""
    return recipe.cloud.bedrock_role or recipe.cloud.role


def import_request(
    recipe: Recipe, names: ImportNames, uri: str, model_hash: str, notes: Mapping[str, str]
) -> dict[str, Any]:
    """The whole request; ``notes`` say what was overridden or accepted, and become tags."""
    cloud = recipe.cloud
    tags = {
        IDENTITY_TAG: recipe.identity,
        MODEL_TAG: model_hash,
        **{f"ragtune:{name}": _UNTAGGABLE.sub("_", text)[:256] for name, text in notes.items()},
        **cloud.tags,
    }
    listed = [{"key": key, "value": value} for key, value in tags.items()]
    request: dict[str, Any] = {
        "jobName": names.job,
        "importedModelName": names.job,
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/{role_of(recipe) or '<cloud.bedrock_role>'}",
        "modelDataSource": {"s3DataSource": {"s3Uri": f"{uri.rstrip('/')}/"}},
        "jobTags": listed,
        "importedModelTags": listed,
        # The same token twice is the same job: a lost answer pays for nothing twice.
        "clientRequestToken": names.job,
    }
    if cloud.kms_key:
        request["importedModelKmsKeyId"] = cloud.kms_key
    if cloud.subnets:
        request["vpcConfig"] = {
            "subnetIds": cloud.subnets,
            "securityGroupIds": cloud.security_groups,
        }
    return request
