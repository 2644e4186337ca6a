"""The preflight: numbered checks before a cent is spent.

Those that need no account come first and always run; those of the account only ask, and create
nothing.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ragtune.core.files import read_json, read_jsonl
from ragtune.prompts.instruct import fields_of
from ragtune.recipe.schema import Recipe
from ragtune_cloud import catalog, contract
from ragtune_cloud.account import Account, aws_errors, code_of
from ragtune_cloud.cost import Cost
from ragtune_cloud.errors import CloudError
from ragtune_cloud.names import ACCOUNT, Names, masked
from ragtune_cloud.spec import Spec

OK, FAILED, WARNING, UNCHECKED = "ok", "failed", "warning", "not checked"
ACCOUNT_CHECKS = (
    "credentials",
    "role and its trust",
    "bucket and region",
    "prefix",
    "quota",
    "artefacts",
    "jobs of the same recipe",
)


@dataclass(frozen=True)
class Check:
    """One check: its number, name, status (``ok failed warning not checked``) and what to do."""

    number: int
    name: str
    status: str
    detail: str

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.number:2} {self.status:11} {self.name}: {self.detail}"


Finding = tuple[str, str]
"""A status and its detail."""


def local_checks(
    recipe: Recipe,
    run_folder: Path,
    spec: Spec | None,
    cost: Cost,
    *,
    against: list[str],
    eula: bool,
) -> list[Check]:
    """What needs no account; ``against`` are the gate's reasons, ``eula`` whether it is accepted.

    Raises RunError where the run has no data.
    """
    found = {
        "run": (FAILED, "; ".join(against)) if against else (OK, "finished, unchanged, proven"),
        "model": _model(recipe, spec),
        "instance": _instance(recipe, spec),
        "hyperparameters": _bounds(recipe, spec),
        "data": _data(run_folder),
        "licence": _licence(spec, eula),
        "cost": _cost(recipe, cost),
        "role": (OK, recipe.cloud.role)
        if recipe.cloud.role
        else (FAILED, "cloud.role is missing: name the SageMaker execution role"),
    }
    return [Check(n, name, *what) for n, (name, what) in enumerate(found.items(), 1)]


def unchecked(start: int, why: str, names: tuple[str, ...] = ACCOUNT_CHECKS) -> list[Check]:
    """The account's checks, none of them made."""
    return [Check(n, name, UNCHECKED, why) for n, name in enumerate(names, start)]


def account_checks(
    recipe: Recipe,
    spec: Spec | None,
    names: Names,
    account: Account,
    *,
    expected: str | None,
    start: int,
) -> list[Check]:
    """What only the account can tell; each answer stands for itself."""
    ask: dict[str, Callable[[], Finding]] = {
        "credentials": lambda: _credentials(account, expected),
        "role and its trust": lambda: _role(recipe, account),
        "bucket and region": lambda: _bucket(recipe, names, account),
        "prefix": lambda: _prefix(names, account),
        "quota": lambda: _quota(recipe, account),
        "artefacts": lambda: _artefacts(recipe, spec, account),
        "jobs of the same recipe": lambda: _jobs(names, account),
    }
    found = []
    for number, (name, question) in enumerate(ask.items(), start):
        try:
            with aws_errors(account.__dict__.get("id")):
                found.append(Check(number, name, *question()))
        except CloudError as error:
            found.append(Check(number, name, FAILED, str(error)))
        if name == "credentials" and found[-1].status == FAILED:
            return [*found, *unchecked(number + 1, "no credentials", ACCOUNT_CHECKS[1:])]
    return found


def _model(recipe: Recipe, spec: Spec | None) -> Finding:
    wanted = recipe.model.jumpstart
    if spec is not None:
        told = f"{spec.model_id} {spec.version}, as of {spec.dated} from {spec.source}"
        return OK if spec.is_live else WARNING, told
    if wanted not in catalog.load()["models"]:
        return (
            FAILED,
            f"model.jumpstart: {wanted}: not in the catalogue; see `ragtune cloud models`",
        )
    version = recipe.cloud.model_version or "newest"
    return FAILED, (
        f"{wanted} {version} in {recipe.cloud.region}: its artefacts are not known here; "
        "`ragtune cloud resolve RUN` reads them from JumpStart"
    )


def _instance(recipe: Recipe, spec: Spec | None) -> Finding:
    instance = recipe.cloud.instance_type
    if spec is None:
        return UNCHECKED, f"whether the model supports {instance}: its spec is not at hand"
    if instance not in spec.instances:
        return FAILED, (
            f"cloud.instance_type: {instance}: {spec.model_id} is not supported on it; "
            f"allowed: {', '.join(spec.instances)}"
        )
    if recipe.cloud.instance_count > 1:
        return WARNING, (
            f"{recipe.cloud.instance_count} instances: in the published job each did the whole "
            "work, for the same losses and as many times the price; cloud.instance_count: 1"
        )
    return OK, f"1 x {instance}"


def _bounds(recipe: Recipe, spec: Spec | None) -> Finding:
    wrong = contract.faults(recipe, spec)
    if wrong:
        return FAILED, "; ".join(wrong)
    return OK, "within the model's bounds" if spec else "within the documented bounds"


def _data(run_folder: Path) -> Finding:
    template = read_json(run_folder / "data" / "template.json")
    rows = read_jsonl(run_folder / "data" / "train.jsonl")
    wanted = fields_of(template["prompt"]) | fields_of(template["completion"])
    for number, row in enumerate(rows, 1):
        if missing := sorted(wanted - set(row)):
            return FAILED, f"train.jsonl line {number} lacks {', '.join(missing)} of template.json"
    return OK, f"{len(rows)} rows, each with the template's {', '.join(sorted(wanted))}"


def _licence(spec: Spec | None, eula: bool) -> Finding:
    if spec is not None and not spec.needs_eula:
        return OK, "the model has none to accept"
    if eula:
        return OK, "accepted with --accept-eula"
    return FAILED, "read the model's licence, then accept it with --accept-eula"


def _cost(recipe: Recipe, cost: Cost) -> Finding:
    if cost.usd_high is None or cost.usd_ceiling is None:
        return (
            FAILED,
            f"no price is known for {recipe.cloud.instance_type}; add it to the catalogue",
        )
    said = f"likely ${cost.usd_likely:.2f}, at most ${cost.usd_ceiling:.2f}"
    if cost.usd_likely is not None and cost.usd_likely > cost.usd_ceiling:
        return FAILED, f"{said}: the job would be stopped unfinished; raise cloud.max_cost_usd"
    if cost.usd_high > cost.usd_ceiling:
        return WARNING, f"{said}: it may be stopped unfinished; consider a higher max_cost_usd"
    return OK, said


def _credentials(account: Account, expected: str | None) -> Finding:
    account.expect(expected)
    _ = account.id
    return OK, f"valid in {account.region}" + (", of the expected account" if expected else "")


def _role(recipe: Recipe, account: Account) -> Finding:
    path = recipe.cloud.role
    if not path:
        return FAILED, "cloud.role is missing: name the SageMaker execution role"
    from botocore.exceptions import ClientError

    try:
        role = account.client("iam").get_role(RoleName=path.rpartition("/")[2])["Role"]
    except ClientError as error:
        if code_of(error) == "NoSuchEntity":
            return FAILED, f"cloud.role: {path}: no such role in this account; name another"
        if code_of(error).startswith("AccessDenied"):
            return UNCHECKED, "these credentials may not read roles (iam:GetRole)"
        raise
    if masked(role["Arn"], account.id).partition(":role/")[2] != path.strip("/"):
        return (
            FAILED,
            f"cloud.role: {path}: its path is {role['Path']}; write {role['Path'][1:]}NAME",
        )
    document = role["AssumeRolePolicyDocument"]
    trust = json.loads(unquote(document)) if isinstance(document, str) else document
    if "sagemaker.amazonaws.com" not in json.dumps(trust):
        return (
            FAILED,
            f"cloud.role: {path}: SageMaker may not assume it; add it to the role's trust",
        )
    return OK, f"{path} exists and trusts SageMaker"


def _bucket(recipe: Recipe, names: Names, account: Account) -> Finding:
    from botocore.exceptions import ClientError

    bucket = names.bucket.replace(ACCOUNT, account.id)
    try:
        answer = account.client("s3").head_bucket(Bucket=bucket, ExpectedBucketOwner=account.id)
        where = answer.get("BucketRegion") or answer["ResponseMetadata"]["HTTPHeaders"].get(
            "x-amz-bucket-region"
        )
    except ClientError as error:
        code = code_of(error)
        if code in {"404", "NoSuchBucket"}:
            return FAILED, f"cloud.bucket: {names.bucket}: no such bucket; make it, or name another"
        if code in {"403", "AccessDenied"}:
            return FAILED, (
                f"cloud.bucket: {names.bucket}: not of this account, or not allowed; name another"
            )
        if code not in {"301", "PermanentRedirect"}:
            raise
        where = error.response["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region", "?")
    if where and where != recipe.cloud.region:
        return FAILED, (
            f"cloud.bucket: {names.bucket} is in {where}, the job in {recipe.cloud.region}; "
            "name a bucket there, or set cloud.region"
        )
    return OK, f"{names.bucket} in {recipe.cloud.region}"


def strangers(names: Names, account: Account) -> list[str]:
    """Keys below the training prefix that this promotion did not put there."""
    bucket = names.bucket.replace(ACCOUNT, account.id)
    own = set(names.keys.values())
    folder = f"{names.home}/training/"
    return [key for key in listed(account, bucket, folder) if key not in own]


def listed(account: Account, bucket: str, prefix: str) -> Iterator[str]:
    """Every key below a prefix."""
    pages = account.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=bucket, Prefix=prefix):
        yield from (entry["Key"] for entry in page.get("Contents", ()))


def _prefix(names: Names, account: Account) -> Finding:
    from botocore.exceptions import ClientError

    try:
        found = strangers(names, account)
    except ClientError as error:
        if code_of(error) == "NoSuchBucket":
            return UNCHECKED, "there is no bucket to look into"
        raise
    if found:
        return FAILED, (
            f"{names.training} is not empty: {found[0]}"
            f"{f' and {len(found) - 1} more' if len(found) > 1 else ''} would be trained on too; "
            "remove them, or set cloud.prefix"
        )
    return OK, f"{names.training} is fresh"


def _quota(recipe: Recipe, account: Account) -> Finding:
    from botocore.exceptions import ClientError

    cloud = recipe.cloud
    name = f"{cloud.instance_type} for {'spot ' if cloud.spot else ''}training job usage"
    pages = account.client("service-quotas").get_paginator("list_service_quotas")
    try:
        for page in pages.paginate(ServiceCode="sagemaker"):
            for quota in page["Quotas"]:
                if quota["QuotaName"] == name and quota["Value"] < cloud.instance_count:
                    return FAILED, (
                        f"{name}: {quota['Value']:g}, needed {cloud.instance_count}; ask for more "
                        f"under Service Quotas, Amazon SageMaker, {cloud.region}"
                    )
                if quota["QuotaName"] == name:
                    return OK, f"{name}: {quota['Value']:g}"
    except ClientError as error:
        if code_of(error).startswith("AccessDenied"):
            return UNCHECKED, "these credentials may not read quotas (servicequotas:List*)"
        raise
    return UNCHECKED, f"Service Quotas has no {name}"


def _artefacts(recipe: Recipe, spec: Spec | None, account: Account) -> Finding:
    if spec is None:
        return UNCHECKED, "the model's spec is not at hand"
    instance = recipe.cloud.instance_type
    weights = spec.gated_artefact(instance) or spec.model_uri
    hidden = []
    for uri in [spec.script_uri, *([weights] if weights else [])]:
        state = _readable(uri, account)
        if state == "missing":
            return FAILED, (
                f"{uri}: not there, so {instance} cannot be trained on; "
                "`ragtune cloud resolve RUN`, or another instance or model version"
            )
        if state == "hidden" and uri == weights and spec.needs_eula:
            hidden.append(uri)
        elif state == "hidden":
            return FAILED, f"{uri}: not readable with these credentials; allow s3:GetObject on it"
    if hidden:
        return (
            UNCHECKED,
            f"{hidden[0]}: gated, so only SageMaker reads it, once the EULA is accepted",
        )
    return OK, "script and weights are there"


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
    from ragtune_cloud.jobs import DEAD

    stem = names.job.rpartition("-")[0]
    found = account.client("sagemaker").list_training_jobs(NameContains=stem, MaxResults=10)
    jobs = found["TrainingJobSummaries"]
    if not jobs:
        return OK, "none"
    there = {job["TrainingJobName"]: job["TrainingJobStatus"] for job in jobs}
    told = ", ".join(f"{job} {status}" for job, status in there.items())
    if any(job.startswith(f"{stem}-") and there[job] not in DEAD for job in there):
        return WARNING, f"{told}; submitting attaches to it and pays for nothing anew"
    if names.job in there:
        return WARNING, f"{told}; --again pays for another attempt"
    return WARNING, f"{told}; submitting pays for another attempt, {names.job}"
