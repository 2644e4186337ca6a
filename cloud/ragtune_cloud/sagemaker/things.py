"""Models, endpoint configurations, endpoints as SageMaker has them: found, and whose they are."""

from typing import Any

from ragtune.core.errors import CloudError
from ragtune_cloud.sagemaker.account import Account, aws_errors, code_of
from ragtune_cloud.sagemaker.names import IDENTITY_TAG

ENDPOINT, CONFIG, MODEL = "endpoint", "endpoint-config", "model"
FIELDS = {ENDPOINT: "EndpointName", CONFIG: "EndpointConfigName", MODEL: "ModelName"}
"""The kinds, in the order of deletion, and what SageMaker calls their names."""
_MISSING = ("could not find", "not found")


def call(account: Account, verb: str, kind: str, name: str, **more: Any) -> dict[str, Any]:
    """Create, describe or delete a thing; raises what botocore raises."""
    operation = getattr(account.client("sagemaker"), f"{verb}_{kind.replace('-', '_')}")
    found: dict[str, Any] = operation(**{FIELDS[kind]: name, **more})
    return found


def describe(account: Account, kind: str, name: str) -> dict[str, Any] | None:
    """SageMaker's description of a thing; None where there is none of that name.

    Raises CloudError where the account cannot be asked.
    """
    from botocore.exceptions import ClientError

    with aws_errors(account.known_id):
        try:
            return call(account, "describe", kind, name)
        except ClientError as error:
            if is_missing(error):
                return None
            raise


def is_missing(error: Any) -> bool:
    """Whether a botocore ClientError says that there is no such thing."""
    code, message = code_of(error), str(error).lower()
    missing = any(words in message for words in _MISSING)
    return code == "ResourceNotFound" or (code == "ValidationException" and missing)


def tags(account: Account, kind: str, found: dict[str, Any]) -> dict[str, str]:
    """The tags of a thing that was described.

    Raises CloudError where they cannot be read.
    """
    arn = found[FIELDS[kind].removesuffix("Name") + "Arn"]
    with aws_errors(account.known_id):
        listed = account.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in listed}


def refuse_foreign(
    account: Account, kind: str, name: str, found: dict[str, Any], identity: str | None = None
) -> None:
    """Raise CloudError unless a thing has our tag, of that recipe where ``identity`` is given."""
    value = tags(account, kind, found).get(IDENTITY_TAG)
    if value is None or identity not in {None, value}:
        raise CloudError(
            f"{name}: there is {_article(kind)} of that name which this recipe did not make (its "
            f"tag {IDENTITY_TAG} is {value or 'missing'}); it is left as it is: rename or delete "
            "it yourself"
        )


def _article(kind: str) -> str:
    return f"{'an' if kind.startswith('e') else 'a'} {kind.replace('-config', ' configuration')}"
