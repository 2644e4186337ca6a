"""What of an import is in an account: jobs and models by name, and whether they are ours."""

from typing import Any

from ragtune_cloud.sagemaker.account import Account, aws_errors, code_of
from ragtune_cloud.sagemaker.names import IDENTITY_TAG

MISSING = ("ResourceNotFoundException", "ResourceNotFound")


def describe(account: Account, job: str) -> dict[str, Any] | None:
    """Bedrock's description of an import job; None where there is none of that name.

    Raises CloudError where the account cannot be asked.
    """
    return _found(account, "get_model_import_job", jobIdentifier=job)


def imported_model(account: Account, name: str) -> dict[str, Any] | None:
    """Bedrock's description of an imported model; None where there is none of that name."""
    return _found(account, "get_imported_model", modelIdentifier=name)


def is_ours(account: Account, arn: str, identity: str | None = None) -> bool:
    """Whether a thing carries ragtune's tag, of one recipe or of any.

    Raises CloudError where its tags cannot be read.
    """
    with aws_errors(account.id):
        tags = account.client("bedrock").list_tags_for_resource(resourceARN=arn).get("tags", ())
    value = {tag["key"]: tag["value"] for tag in tags}.get(IDENTITY_TAG)
    return value is not None and identity in {None, value}


def _found(account: Account, operation: str, **named: str) -> dict[str, Any] | None:
    from botocore.exceptions import ClientError

    with aws_errors(account.known_id):
        try:
            found: dict[str, Any] = getattr(account.client("bedrock"), operation)(**named)
        except ClientError as error:
            if code_of(error) in MISSING:
                return None
            raise
    return found
