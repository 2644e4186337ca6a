"""A promoted job as SageMaker describes it: how it is doing, how it ended; stopped."""

import datetime
from typing import Any

from ragtune.core.errors import CloudError
from ragtune_cloud.sagemaker import remedies
from ragtune_cloud.sagemaker.account import Account, aws_errors, code_of
from ragtune_cloud.sagemaker.names import masked
from ragtune_cloud.sagemaker.record import Record
from ragtune_cloud.target import Status

LIVE = ("InProgress", "Stopping")
DEAD = ("Failed", "Stopped")


def describe(account: Account, job: str) -> dict[str, Any] | None:
    """SageMaker's description of a job; None where there is none of that name.

    Raises CloudError where the account cannot be asked.
    """
    from botocore.exceptions import ClientError

    with aws_errors(account.known_id):
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
    """How the job is doing now.

    Raises CloudError where it is not there.
    """
    found = describe(account, record.job)
    if found is None:
        raise CloudError(f"{record.job}: no such job in this account and {record.region}")
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


def check_ended_well(now: Status, epochs: int = 0) -> None:
    """Raise CloudError, with the whole reason and a remedy, unless the job was completed.

    ``epochs`` is how many the log shows.
    """
    if now.status == "Completed":
        return
    seen = f" after {epochs} epochs" if epochs else ""
    if now.status == "Stopped":
        known = now.stage.lower().startswith("max")
        first = f"{remedies.remedy(now.stage)}, then " if known else ""
        raise CloudError(
            f"{now.job}: stopped{seen}, which is no success: {now.stage}; a model that it left is "
            f"of no whole training; {first}`ragtune promote RUN --submit --again` starts over"
        )
    reason = now.reason or "no reason was given"
    raise CloudError(f"{now.job}: {now.status}{seen}: {reason}; {remedies.remedy(reason)}")


def _elapsed(found: dict[str, Any]) -> float:
    start = found.get("TrainingStartTime")
    if start is None:
        return 0.0
    end = found.get("TrainingEndTime") or datetime.datetime.now(datetime.UTC)
    return float((end - start).total_seconds())
