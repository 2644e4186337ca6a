"""The key that vectors are encrypted with."""

from ragtune.recipe.schema import Recipe
from ragtune_cloud.target import FAILED, OK, Finding


def key_finding(recipe: Recipe) -> Finding:
    """Whether the recipe's key can be named to S3 Vectors."""
    key = recipe.cloud.kms_key
    if key is None:
        return Finding(OK, "S3's own")
    if key.startswith("alias/"):
        return Finding(FAILED, f"cloud.kms_key: {key}: S3 Vectors takes a key's id, no alias")
    return Finding(OK, f"the key {key}")


def key_arn(recipe: Recipe, account: str) -> str | None:
    """The ARN of the recipe's key; None where it names none."""
    cloud = recipe.cloud
    return cloud.kms_key and f"arn:aws:kms:{cloud.region}:{account}:key/{cloud.kms_key}"
