"""The checks that only the account can answer; they ask, and create nothing."""

import json
from collections.abc import Callable
from urllib.parse import unquote

from ragtune.core.errors import CloudError
from ragtune.recipe.schema import Recipe
from ragtune_cloud.sagemaker.account import Account, aws_errors, code_of
from ragtune_cloud.sagemaker.jobs import DEAD
from ragtune_cloud.sagemaker.names import Names, masked
from ragtune_cloud.sagemaker.spec import Spec
from ragtune_cloud.sagemaker.storage import bucket_of, foreign_keys
from ragtune_cloud.target import FAILED, OK, UNCHECKED, WARNING, Finding

CHECKS = (
    "credentials",
    "role and its trust",
    "bucket and region",
    "prefix",
    "quota",
    "artefacts",
    "jobs of the same recipe",
)


def unchecked(why: str, names: tuple[str, ...] = CHECKS) -> dict[str, Finding]:
    """The account's checks, none of them made."""
    return {name: Finding(UNCHECKED, why) for name in names}


def checks(
    recipe: Recipe, spec: Spec | None, names: Names, account: Account, *, expected: str | None
) -> dict[str, Finding]:
    """What only the account can answer, by name; a check that cannot be made fails alone."""
    ask: dict[str, Callable[[], Finding]] = {
        "credentials": lambda: _credentials(account, expected),
        "role and its trust": lambda: _role(recipe, account),
        "bucket and region": lambda: _bucket(recipe, names, account),
        "prefix": lambda: _prefix(names, account),
        "quota": lambda: _quota(recipe, account),
        "artefacts": lambda: _artefacts(recipe, spec, account),
        "jobs of the same recipe": lambda: _jobs(names, account),
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
    return Finding(
        OK, f"valid in {account.region}" + (", of the expected account" if expected else "")
    )


def _role(recipe: Recipe, account: Account) -> Finding:
    path = recipe.cloud.role
    if not path:
        return Finding(FAILED, "cloud.role is missing: name the SageMaker execution role")
    from botocore.exceptions import ClientError

    try:
        role = account.client("iam").get_role(RoleName=path.rpartition("/")[2])["Role"]
    except ClientError as error:
        if code_of(error) == "NoSuchEntity":
            return Finding(
                FAILED, f"cloud.role: {path}: no such role in this account; name another"
            )
        if code_of(error).startswith("AccessDenied"):
            return Finding(UNCHECKED, "these credentials may not read roles (iam:GetRole)")
        raise
    if masked(role["Arn"], account.id).partition(":role/")[2] != path.strip("/"):
        return Finding(
            FAILED,
            f"cloud.role: {path}: its path is {role['Path']}; write {role['Path'][1:]}NAME",
        )
    document = role["AssumeRolePolicyDocument"]
    trust = json.loads(unquote(document)) if isinstance(document, str) else document
    if "sagemaker.amazonaws.com" not in json.dumps(trust):
        return Finding(
            FAILED,
            f"cloud.role: {path}: SageMaker may not assume it; add it to the role's trust",
        )
    return Finding(OK, f"{path} exists and trusts SageMaker")


def _bucket(recipe: Recipe, names: Names, account: Account) -> Finding:
    from botocore.exceptions import ClientError

    bucket = bucket_of(names, account)
    try:
        answer = account.client("s3").head_bucket(Bucket=bucket, ExpectedBucketOwner=account.id)
        where = answer.get("BucketRegion") or answer["ResponseMetadata"]["HTTPHeaders"].get(
            "x-amz-bucket-region"
        )
    except ClientError as error:
        code = code_of(error)
        if code in {"404", "NoSuchBucket"}:
            return Finding(
                FAILED, f"cloud.bucket: {names.bucket}: no such bucket; make it, or name another"
            )
        if code in {"403", "AccessDenied"}:
            return Finding(
                FAILED,
                f"cloud.bucket: {names.bucket}: not of this account, or not allowed; name another",
            )
        if code not in {"301", "PermanentRedirect"}:
            raise
        where = error.response["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region", "?")
    if where and where != recipe.cloud.region:
        return Finding(
            FAILED,
            f"cloud.bucket: {names.bucket} is in {where}, the job in {recipe.cloud.region}; "
            "name a bucket there, or set cloud.region",
        )
    return Finding(OK, f"{names.bucket} in {recipe.cloud.region}")


def _prefix(names: Names, account: Account) -> Finding:
    from botocore.exceptions import ClientError

    try:
        found = foreign_keys(names, account)
    except ClientError as error:
        if code_of(error) == "NoSuchBucket":
            return Finding(UNCHECKED, "there is no bucket to look into")
        raise
    if found:
        return Finding(
            FAILED,
            f"{names.training} is not empty: {found[0]}"
            f"{f' and {len(found) - 1} more' if len(found) > 1 else ''} would be trained on too; "
            "remove them, or set cloud.prefix",
        )
    return Finding(OK, f"{names.training} is fresh")


def _quota(recipe: Recipe, account: Account) -> Finding:
    from botocore.exceptions import ClientError

    cloud = recipe.cloud
    name = f"{cloud.instance_type} for {'spot ' if cloud.spot else ''}training job usage"
    pages = account.client("service-quotas").get_paginator("list_service_quotas")
    try:
        for page in pages.paginate(ServiceCode="sagemaker"):
            for quota in page["Quotas"]:
                if quota["QuotaName"] == name and quota["Value"] < cloud.instance_count:
                    return Finding(
                        FAILED,
                        f"{name}: {quota['Value']:g}, needed {cloud.instance_count}; ask for more "
                        f"under Service Quotas, Amazon SageMaker, {cloud.region}",
                    )
                if quota["QuotaName"] == name:
                    return Finding(OK, f"{name}: {quota['Value']:g}")
    except ClientError as error:
        if code_of(error).startswith("AccessDenied"):
            return Finding(UNCHECKED, "these credentials may not read quotas (servicequotas:List*)")
        raise
    return Finding(UNCHECKED, f"Service Quotas has no {name}")


def _artefacts(recipe: Recipe, spec: Spec | None, account: Account) -> Finding:
    if spec is None:
        return Finding(UNCHECKED, "the model's spec is not at hand")
    instance = recipe.cloud.instance_type
    weights = spec.gated_artefact(instance) or spec.model_uri(instance)
    hidden = []
    for uri in [spec.script_uri, *([weights] if weights else [])]:
        state = _readable(uri, account)
        if state == "missing":
            return Finding(
                FAILED,
                f"{uri}: not there, so {instance} cannot be trained on; "
                "`ragtune cloud resolve RUN`, or another instance or model version",
            )
        if state == "hidden" and uri == weights and spec.needs_eula:
            hidden.append(uri)
        elif state == "hidden":
            return Finding(
                FAILED, f"{uri}: not readable with these credentials; allow s3:GetObject on it"
            )
    if hidden:
        return Finding(
            UNCHECKED,
            f"{hidden[0]}: gated, so only SageMaker reads it, once the EULA is accepted",
        )
    return Finding(OK, "script and weights are there")


def _readable(uri: str, account: Account) -> str:
    from botocore.exceptions import ClientError

    bucket, _, key = uri.removeprefix("s3://").partition("/")
    s3 = account.client("s3")
    try:
        if key.endswith("/"):
            found = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
            return "there" if found.get("KeyCount") else "missing"
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchKey", "NoSuchBucket", "NotFound"}:
            return "missing"
        if code_of(error) in {"403", "AccessDenied"}:
            return "hidden"
        raise
    return "there"


def _jobs(names: Names, account: Account) -> Finding:
    stem = names.job.rpartition("-")[0]
    found = account.client("sagemaker").list_training_jobs(NameContains=stem, MaxResults=10)
    jobs = found["TrainingJobSummaries"]
    if not jobs:
        return Finding(OK, "none")
    there = {job["TrainingJobName"]: job["TrainingJobStatus"] for job in jobs}
    told = ", ".join(f"{job} {status}" for job, status in there.items())
    if any(job.startswith(f"{stem}-") and there[job] not in DEAD for job in there):
        return Finding(WARNING, f"{told}; submitting attaches to it and pays for nothing again")
    if names.job in there:
        return Finding(WARNING, f"{told}; --again pays for another attempt")
    return Finding(WARNING, f"{told}; submitting pays for another attempt, {names.job}")
