"""SageMaker's training jobs: their life, one look at a time, and what they leave.

Stages and losses are those of the published job.
"""

import contextlib
import io
import tarfile
import time
from pathlib import Path
from typing import Any

import boto3

from tests.cloud.fake.cloud import Refused, Service, page, tags_of
from tests.cloud.fake.region import Region, check_quota

STAGES = ["Starting", "Downloading", "Training", "Training", "Training", "Uploading", "Completed"]
EPOCHS = [(1.4238, 1.3190), (1.3069, 1.2804)]
GROUP = "/aws/sagemaker/TrainingJobs"


class TrainingJobs(Service[Region]):
    """Jobs; each look at one brings it one stage further.

    ``ends_in`` is the status that jobs come to, ``reason`` its FailureReason, ``last_stage`` its
    SecondaryStatus where that is another word; ``artefact`` the archive of the model that they
    leave.
    """

    def __init__(self, session: boto3.Session, artefact: bytes = b"") -> None:
        super().__init__()
        self.session, self.artefact = session, artefact
        self.ends_in, self.last_stage, self.reason = "Completed", "", ""

    def create_training_job(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """Refuses a name that is there, machines beyond the quota, tags that are there twice."""
        name, machines = asked["TrainingJobName"], asked["ResourceConfig"]
        arn = place.arn("training-job", name)
        if name in place.jobs:
            raise Refused(
                "ResourceInUse",
                "Training job names must be unique within an AWS account and region, and a "
                f"training job with this name already exists ({arn})",
            )
        tags_of(asked)
        live = [
            j for j in place.jobs.values() if not j["stopped"] and STAGES[j["at"]] != STAGES[-1]
        ]
        used = sum(
            job["request"]["ResourceConfig"]["InstanceCount"]
            for job in live
            if job["request"]["ResourceConfig"]["InstanceType"] == machines["InstanceType"]
        )
        usage = f"{machines['InstanceType']} for training job usage"
        check_quota(place, usage, used, machines["InstanceCount"])
        place.jobs[name] = {"request": asked, "at": 0, "stopped": 0, "created": self.cloud.now}
        return {"TrainingJobArn": arn}

    def describe_training_job(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """A look at a job, which brings it further."""
        name = asked["TrainingJobName"]
        job = job_of(place, name)
        status, stage = self._advance(place, name, job)
        now, request = self.cloud.now, job["request"]
        answer = {
            "TrainingJobName": name,
            "TrainingJobArn": place.arn("training-job", name),
            "TrainingJobStatus": status,
            "SecondaryStatus": stage,
            "CreationTime": job["created"],
            "TrainingStartTime": now - 600,
            "ModelArtifacts": {"S3ModelArtifacts": f"s3://{'/'.join(_output(name, request))}"},
        }
        for key in ("ResourceConfig", "OutputDataConfig", "RoleArn", "StoppingCondition"):
            answer[key] = request[key]
        if status == "Failed":
            answer["FailureReason"] = self.reason
        if status not in {"InProgress", "Stopping"}:
            answer |= {"TrainingEndTime": now, "BillableTimeInSeconds": 600}
        return answer

    def list_training_jobs(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """Jobs by part of their name and by status, a page at a time."""
        found = [
            {
                "TrainingJobName": name,
                "TrainingJobArn": place.arn("training-job", name),
                "TrainingJobStatus": self._status(job),
                "CreationTime": job["created"],
            }
            for name, job in place.jobs.items()
            if asked.get("NameContains", "") in name
            and asked.get("StatusEquals") in {None, self._status(job)}
        ]
        listed, token = page(found, asked)
        return {"TrainingJobSummaries": listed} | ({"NextToken": token} if token else {})

    def stop_training_job(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """Refuses a job that has ended."""
        job = job_of(place, asked["TrainingJobName"])
        if self._status(job) != "InProgress":
            raise Refused("ValidationException", f"The job is {self._status(job)}, not InProgress.")
        job["stopped"] = 1
        return {}

    def _status(self, job: dict[str, Any]) -> str:
        if job["stopped"]:
            return "Stopping" if job["stopped"] == 1 else "Stopped"
        return self.ends_in if STAGES[job["at"]] == STAGES[-1] else "InProgress"

    def _advance(self, place: Region, name: str, job: dict[str, Any]) -> tuple[str, str]:
        """Status and stage as they are now; the next look sees the next stage."""
        status, stage = self._status(job), STAGES[job["at"]]
        if job["stopped"]:
            job["stopped"] = 2
            return status, status
        if status != "InProgress":
            return status, self.last_stage or status
        job["at"] += 1
        self._log(place, name, job["at"] - 3)
        if STAGES[job["at"]] == STAGES[-1] and self.ends_in == "Completed":
            self._leave_artefact(name, job["request"], place.name)
        return status, stage

    def _log(self, place: Region, name: str, epoch: int) -> None:
        """What the container writes as it comes to an epoch's end."""
        if not 0 <= epoch < len(EPOCHS):
            return
        logs = self.session.client("logs", region_name=place.name)
        stream = f"{name}/algo-1-1700000000"
        if epoch == 0:
            with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
                logs.create_log_group(logGroupName=GROUP)
            logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        train, evaluation = EPOCHS[epoch]
        lines = [
            f"Training Epoch{epoch}: 100%|##########| 27/27 [04:25<00:00,  9.83s/it]",
            f" eval_ppl=tensor(3.7400, device='cuda:0') "
            f"eval_epoch_loss=tensor({evaluation}, device='cuda:0')",
            f"Epoch {epoch + 1}: train_perplexity=4.15, train_epoch_loss={train}, epoch time 265s",
        ]
        now = int(time.time() * 1000)
        logs.put_log_events(
            logGroupName=GROUP,
            logStreamName=stream,
            logEvents=[{"timestamp": now + n, "message": line} for n, line in enumerate(lines)],
        )

    def _leave_artefact(self, name: str, request: dict[str, Any], region: str) -> None:
        """The archive, or with ``CompressionType: NONE`` the files in it."""
        bucket, key = _output(name, request)
        s3 = self.session.client("s3", region_name=region)
        if not key.endswith("/"):
            s3.put_object(Bucket=bucket, Key=key, Body=self.artefact)
            return
        with tarfile.open(fileobj=io.BytesIO(self.artefact)) as tar:
            for member in tar.getmembers():
                content = tar.extractfile(member)
                body = b"" if content is None else content.read()
                s3.put_object(Bucket=bucket, Key=f"{key}{member.name}", Body=body)


def archive(folder: Path) -> bytes:
    """A folder's files as a gzipped tar, as SageMaker leaves a model."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, arcname=path.name)
    return content.getvalue()


def _output(name: str, request: dict[str, Any]) -> tuple[str, str]:
    """Bucket and key of what a job leaves; a key that ends in / is of a folder."""
    where = request["OutputDataConfig"]
    bucket, _, prefix = where["S3OutputPath"].removeprefix("s3://").partition("/")
    plain = where.get("CompressionType") == "NONE"
    return bucket, f"{prefix}/{name}/output/model{'/' if plain else '.tar.gz'}"


def job_of(place: Region, name: str) -> dict[str, Any]:
    """A job by its name; raises Refused where there is none."""
    if name not in place.jobs:
        raise Refused("ValidationException", "Requested resource not found.")
    return place.jobs[name]
