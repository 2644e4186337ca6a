"""A promoted job: submit it once, find it again, look at it, stop it.

The job's name follows from the recipe, the data and the model's version, so whoever submits the
same again, or after a kill at any point, meets the job that is there.
"""

import base64
import datetime
import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ragtune.core.files import read_json, write_json
from ragtune.core.progress import Say
from ragtune.recipe.schema import Recipe
from ragtune_cloud import catalog, remedies, spec
from ragtune_cloud.account import Account, aws_errors, code_of
from ragtune_cloud.errors import CloudError
from ragtune_cloud.logs import Progress
from ragtune_cloud.names import ACCOUNT, Names, masked, names
from ragtune_cloud.plan import Plan
from ragtune_cloud.preflight import strangers
from ragtune_cloud.request import filled

RECORD = Path("cloud") / "job.json"
LIVE = ("InProgress", "Stopping")
DEAD = ("Failed", "Stopped")


@dataclass(frozen=True)
class Record:
    """What a run folder keeps of its job; nothing of the account."""

    job: str
    model_id: str
    region: str
    bucket: str
    prefix: str
    instance_type: str
    instance_count: int
    usd_per_hour: float | None
    epochs: int
    role: str | None = None

    @property
    def names(self) -> Names:
        """The job's name and places."""
        return Names(self.job, self.bucket, self.prefix)


@dataclass(frozen=True)
class Status:
    """How a job stands: SageMaker's status and stage, seconds so far, US dollars so far."""

    job: str
    status: str
    stage: str
    seconds: int
    usd: float | None
    reason: str | None
    artefact: str | None

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)

    def __str__(self) -> str:
        spent = "" if self.usd is None else f", ${self.usd:.2f} so far"
        return f"{self.job}: {self.status}, {self.stage}, {self.seconds} s{spent}"


def find_attempt(recipe: Recipe, run_folder: Path, account: Account, *, again: bool) -> int:
    """Which attempt a submission is: the live or finished one, else the first that is free.

    Raises CloudError where the last one failed or was stopped and ``again`` was not said.
    """
    model = recipe.model.jumpstart or ""
    found = spec.find(model, recipe.cloud.model_version, recipe.cloud.region, run_folder)
    attempt = 1
    while True:
        job = names(recipe, run_folder, found, attempt).job
        described = describe(account, job)
        if described is None or described["TrainingJobStatus"] not in DEAD:
            return attempt
        if (
            not again
            and describe(account, names(recipe, run_folder, found, attempt + 1).job) is None
        ):
            ended, stage = described["TrainingJobStatus"], described.get("SecondaryStatus")
            why = described.get("FailureReason") or (stage if stage != ended else None)
            reason = masked(why or "stopped by request", account.id)
            raise CloudError(
                f"{job}: {ended}: {reason}; {remedies.remedy(reason)}; "
                "--again pays for another attempt"
            )
        attempt += 1


def submit(planned: Plan, account: Account, say: Say) -> Record:
    """Upload the data and the evidence, create the job, and note it; or attach to it.

    Raises CloudError where the preflight failed, the data changed meanwhile, or AWS refuses.
    """
    record = record_of(planned.recipe, planned.names)
    found = describe(account, record.job)
    if found is None:
        if planned.failures:
            raise CloudError("\n".join(f"error: {check}" for check in planned.failures))
        if planned.request is None:
            raise CloudError("there is no request to send; `ragtune cloud resolve RUN` first")
        with aws_errors(account.id):
            _upload(planned, account, say)
        if not _create(planned.request, account, say):
            found = describe(account, record.job)
    if found is not None:
        say(f"{record.job}: is there already; attached, nothing was paid for anew")
        record = _as_found(record, found, account)
    write_json(planned.run_folder / RECORD, asdict(record))
    return record


def read_record(run_folder: Path) -> Record:
    """What the run folder keeps of its job.

    Raises CloudError where nothing was submitted from it.
    """
    path = run_folder / RECORD
    if not path.exists():
        raise CloudError(
            f"{path}: missing; submit with `ragtune promote RUN --submit`, or find a job that "
            "is there with `ragtune cloud attach RUN`"
        )
    return Record(**read_json(path))


def attach(recipe: Recipe, run_folder: Path, account: Account) -> Record:
    """Find the run's newest job in the account and note it.

    Raises CloudError where there is none.
    """
    model = recipe.model.jumpstart or ""
    found = spec.find(model, recipe.cloud.model_version, recipe.cloud.region, run_folder)
    record, attempt = None, 1
    while described := describe(account, (job := names(recipe, run_folder, found, attempt)).job):
        record, attempt = _as_found(record_of(recipe, job), described, account), attempt + 1
    if record is None:
        raise CloudError(f"{job.job}: no such job in this account and region; submit it first")
    write_json(run_folder / RECORD, asdict(record))
    return record


def describe(account: Account, job: str) -> dict[str, Any] | None:
    """SageMaker's description of a job; None where there is none of that name.

    Raises CloudError where the account cannot be asked.
    """
    from botocore.exceptions import ClientError

    with aws_errors(account.__dict__.get("id")):
        try:
            found: dict[str, Any] = account.client("sagemaker").describe_training_job(
                TrainingJobName=job
            )
        except ClientError as error:
            message = str(error)
            if code_of(error) in {"ValidationException", "ResourceNotFound"} and (
                "not found" in message or "not find" in message
            ):
                return None
            raise
    return found


def status(record: Record, account: Account) -> Status:
    """How the job stands now.

    Raises CloudError where it is not there.
    """
    found = describe(account, record.job)
    if found is None:
        raise CloudError(f"{record.job}: no such job in this account and region")
    seconds = found.get("BillableTimeInSeconds") or _elapsed(found)
    reason = found.get("FailureReason")
    artefact = found.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    return Status(
        job=record.job,
        status=found["TrainingJobStatus"],
        stage=found.get("SecondaryStatus", ""),
        seconds=int(seconds),
        usd=None if record.usd_per_hour is None else round(seconds / 3600 * record.usd_per_hour, 2),
        reason=None if reason is None else masked(reason, account.id),
        artefact=None if artefact is None else masked(artefact, account.id),
    )


def stop(record: Record, account: Account) -> None:
    """Ask SageMaker to stop the job; nothing happens to one that has ended."""
    found = describe(account, record.job)
    if found is not None and found["TrainingJobStatus"] == "InProgress":
        with aws_errors(account.id):
            account.client("sagemaker").stop_training_job(TrainingJobName=record.job)


def check_ended_well(now: Status, progress: Progress | None = None) -> None:
    """Raise CloudError, with the whole reason and a remedy, unless the job was completed."""
    if now.status == "Completed":
        return
    seen = f" after {len(progress.epochs)} epochs" if progress and progress.epochs else ""
    if now.status == "Stopped":
        known = now.stage.lower().startswith("max")
        first = f"{remedies.remedy(now.stage)}, then " if known else ""
        raise CloudError(
            f"{now.job}: stopped{seen}, which is no success: {now.stage}; a model that it left is "
            f"of no whole training; {first}`ragtune promote RUN --submit --again` starts over"
        )
    reason = now.reason or "no reason was given"
    raise CloudError(f"{now.job}: {now.status}{seen}: {reason}; {remedies.remedy(reason)}")


def _upload(planned: Plan, account: Account, say: Say) -> None:
    bucket = planned.names.bucket.replace(ACCOUNT, account.id)
    if found := strangers(planned.names, account):
        raise CloudError(f"{planned.names.training} is not empty: {found[0]}; remove it first")
    for path, key in planned.names.keys.items():
        content = (planned.run_folder / path).read_bytes()
        sum_ = hashlib.sha256(content).hexdigest()
        expected = planned.hashes.get(Path(path).name)
        if expected not in {None, sum_}:
            raise CloudError(f"{path}: changed while it was being submitted; plan again")
        if _there(account, bucket, key, sum_):
            say(f"{path}: is there already")
            continue
        kms = planned.recipe.cloud.kms_key
        safe = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms} if kms else {}
        account.client("s3").put_object(
            Bucket=bucket,
            Key=key,
            Body=content,
            ChecksumSHA256=base64.b64encode(bytes.fromhex(sum_)).decode(),
            Metadata={"sha256": sum_},
            ExpectedBucketOwner=account.id,
            **(safe or {"ServerSideEncryption": "AES256"}),
        )
        say(f"{path}: uploaded, {len(content)} bytes")


def _there(account: Account, bucket: str, key: str, sum_: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        found = account.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchKey", "NotFound"}:
            return False
        raise
    return bool(found.get("Metadata", {}).get("sha256") == sum_)


def _create(request: dict[str, Any], account: Account, say: Say) -> bool:
    """Create the job; false where it is there already."""
    from botocore.exceptions import ClientError

    job = request["TrainingJobName"]
    with aws_errors(account.id):
        try:
            account.client("sagemaker").create_training_job(**filled(request, account.id))
        except ClientError as error:
            if code_of(error) != "ResourceInUse":
                raise
            return False
    say(f"{job}: submitted")
    return True


def record_of(recipe: Recipe, names: Names) -> Record:
    """What a run folder keeps of a job of that name, submitted from that recipe."""
    cloud = recipe.cloud
    return Record(
        job=names.job,
        model_id=recipe.model.jumpstart or "",
        region=cloud.region,
        bucket=names.bucket,
        prefix=names.prefix,
        instance_type=cloud.instance_type,
        instance_count=cloud.instance_count,
        usd_per_hour=catalog.usd_per_hour(cloud.instance_type, cloud.instance_count),
        epochs=recipe.tune.epoch,
        role=cloud.role,
    )


def _as_found(record: Record, found: dict[str, Any], account: Account) -> Record:
    """The record of a job that is there: it runs as it was submitted."""
    machines = found["ResourceConfig"]
    output = masked(found["OutputDataConfig"]["S3OutputPath"], account.id)
    bucket, _, key = output.removeprefix("s3://").partition("/")
    return replace(
        record,
        bucket=bucket,
        prefix=key.removesuffix(f"/{record.job}/output"),
        instance_type=machines["InstanceType"],
        instance_count=machines["InstanceCount"],
        usd_per_hour=catalog.usd_per_hour(machines["InstanceType"], machines["InstanceCount"]),
        role=found["RoleArn"].partition(":role/")[2],
    )


def _elapsed(found: dict[str, Any]) -> float:
    start = found.get("TrainingStartTime")
    if start is None:
        return 0.0
    end = found.get("TrainingEndTime") or datetime.datetime.now(datetime.UTC)
    return float((end - start).total_seconds())
