"""The checks of an import that only the account can answer; they ask, and create nothing."""

import json
from collections.abc import Callable
from urllib.parse import unquote

from ragtune.core.errors import CloudError
from ragtune.recipe.schema import Recipe
from ragtune_cloud.bedrock.inventory import describe, is_ours
from ragtune_cloud.bedrock.names import ImportNames
from ragtune_cloud.bedrock.request import role_of
from ragtune_cloud.sagemaker.account import Account, aws_errors, code_of
from ragtune_cloud.sagemaker.names import ACCOUNT, masked
from ragtune_cloud.target import FAILED, OK, UNCHECKED, WARNING, Finding

CHECKS = ("credentials", "role and its trust", "bucket and region", "quota", "name")
TRUSTED = "bedrock.amazonaws.com"
QUOTA = "Imported models per account"


def unchecked(why: str, names: tuple[str, ...] = CHECKS) -> dict[str, Finding]:
    """The account's checks, none of them made."""
    return {name: Finding(UNCHECKED, why) for name in names}


def checks(
    recipe: Recipe, names: ImportNames, uri: str, account: Account, *, expected: str | None
) -> dict[str, Finding]:
    """What only the account can answer, by name; a check that cannot be made fails alone."""
    ask: dict[str, Callable[[], Finding]] = {
        "credentials": lambda: _credentials(account, expected),
        "role and its trust": lambda: _role(recipe, account),
        "bucket and region": lambda: _bucket(uri, account),
        "quota": lambda: _quota(account),
        "name": lambda: _name(names, account),
    }
    found: dict[str, Finding] = {}
    for name, question in ask.items():
        try:
            with aws_errors(account.known_id):
                found[name] = question()
        except CloudError as error:
            found[name] = Finding(FAILED, str(error))
        if name == "credentials" and found[name].status == FAILED:
            return {**found, **unchecked("no credentials", CHECKS[1:])}
    return found


def _credentials(account: Account, expected: str | None) -> Finding:
    account.expect(expected)
    _ = account.id
    told = ", of the expected account" if expected else ""
    return Finding(OK, f"valid in {account.region}{told}")


def _role(recipe: Recipe, account: Account) -> Finding:
    from botocore.exceptions import ClientError

    path = role_of(recipe)
    if not path:
        return Finding(
            FAILED, "cloud.bedrock_role is missing: name the role that reads the model in S3"
        )
    try:
        role = account.client("iam").get_role(RoleName=path.rpartition("/")[2])["Role"]
    except ClientError as error:
        if code_of(error) == "NoSuchEntity":
            return Finding(FAILED, f"{path}: no such role in this account; name another")
        if code_of(error).startswith("AccessDenied"):
            return Finding(UNCHECKED, "these credentials may not read roles (iam:GetRole)")
        raise
    if masked(role["Arn"], account.id).partition(":role/")[2] != path.strip("/"):
        return Finding(FAILED, f"{path}: its path is {role['Path']}; write {role['Path'][1:]}NAME")
    document = role["AssumeRolePolicyDocument"]
    trust = json.loads(unquote(document)) if isinstance(document, str) else document
    if TRUSTED not in json.dumps(trust):
        return Finding(
            FAILED,
            f"{path}: Bedrock may not assume it; add {TRUSTED} to its trust, or name another as "
            "cloud.bedrock_role",
        )
    return Finding(OK, f"{path} exists and trusts Bedrock")


def _bucket(uri: str, account: Account) -> Finding:
    from botocore.exceptions import ClientError

    shown = uri.removeprefix("s3://").partition("/")[0]
    bucket = shown.replace(ACCOUNT, account.id)
    try:
        answer = account.client("s3").head_bucket(Bucket=bucket, ExpectedBucketOwner=account.id)
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        where = answer.get("BucketRegion") or headers.get("x-amz-bucket-region")
    except ClientError as error:
        code = code_of(error)
        if code in {"404", "NoSuchBucket"}:
            return Finding(FAILED, f"{shown}: no such bucket; make it, or name cloud.bucket")
        if code in {"403", "AccessDenied"}:
            return Finding(FAILED, f"{shown}: not of this account, or not allowed; name another")
        if code not in {"301", "PermanentRedirect"}:
            raise
        headers = error.response["ResponseMetadata"]["HTTPHeaders"]
        where = headers.get("x-amz-bucket-region", "another region")
    if where and where != account.region:
        return Finding(
            FAILED,
            f"{shown} is in {where}, the import in {account.region}; name a bucket there, or set "
            "cloud.region",
        )
    return Finding(OK, f"{shown} in {account.region}")


def _quota(account: Account) -> Finding:
    """Whether one more model may be imported, where Service Quotas says how many."""
    from botocore.exceptions import ClientError

    try:
        pages = account.client("service-quotas").get_paginator("list_service_quotas")
        values = [
            quota["Value"]
            for page in pages.paginate(ServiceCode="bedrock")
            for quota in page["Quotas"]
            if quota["QuotaName"] == QUOTA
        ]
    except ClientError as error:
        if code_of(error).startswith("AccessDenied"):
            return Finding(UNCHECKED, "these credentials may not read quotas (servicequotas:List*)")
        raise
    if not values:
        return Finding(UNCHECKED, f"Service Quotas has no {QUOTA}")
    pages = account.client("bedrock").get_paginator("list_imported_models")
    there = sum(len(page.get("modelSummaries", ())) for page in pages.paginate())
    told = f"{there} of {values[0]:g} imported models"
    if there >= values[0]:
        return Finding(
            FAILED, f"{told}; delete one, or ask for more under Service Quotas, Amazon Bedrock"
        )
    return Finding(OK, told)


def _name(names: ImportNames, account: Account) -> Finding:
    """Whether something of that name is there, and whose it is."""
    found = describe(account, names.job)
    if found is None:
        return Finding(OK, f"{names.job} is free")
    if not is_ours(account, found["jobArn"]):
        return Finding(
            FAILED,
            f"{names.job}: an import job of that name is there without ragtune's tag; give the "
            "recipe another name",
        )
    return Finding(WARNING, f"{names.job} is {found['status']}; submitting attaches to it")
