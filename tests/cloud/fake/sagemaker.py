"""SageMaker: the life of training jobs and endpoints, as strict as the real one is known to be.

A training job's stages and losses are those of the published job. What an endpoint may not do is
from public issues: it is not deleted while it is being created, updated or deleted.
"""

import contextlib
import io
import json
import tarfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from tests.cloud.fake.answers import SHAPES, Speech, spoken
from tests.cloud.fake.cloud import ACCOUNT, REGION, Cloud, Refused, Service, page, tags_of
from tests.cloud.fake.scheduler import Scheduler
from tests.cloud.fake.tagging import Tagging

STAGES = ["Starting", "Downloading", "Training", "Training", "Training", "Uploading", "Completed"]
EPOCHS = [(1.4238, 1.3190), (1.3069, 1.2804)]
GROUP = "/aws/sagemaker/TrainingJobs"
KINDS = {"Model": "model", "EndpointConfig": "endpoint-config", "Endpoint": "endpoint"}
TITLES = {"Model": "model", "EndpointConfig": "endpoint configuration", "Endpoint": "endpoint"}
MAKING = ("Creating", "Updating", "Deleting")


@dataclass
class Region:
    """What SageMaker has in a region; ``quota`` are its service quotas by name."""

    name: str
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    things: dict[str, dict[str, dict[str, Any]]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    quota: dict[str, float] = field(
        default_factory=lambda: {
            "ml.g5.12xlarge for training job usage": 2.0,
            "ml.g5.2xlarge for endpoint usage": 2.0,
        }
    )

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a thing."""
        return f"arn:aws:sagemaker:{self.name}:{ACCOUNT}:{kind}/{name}"

    def instances(self, kind: str) -> int:
        """Instances of a type that endpoints have, or are about to have."""
        variants = [
            self.things["EndpointConfig"][endpoint["EndpointConfigName"]]["ProductionVariants"]
            for endpoint in self.things["Endpoint"].values()
            if endpoint["status"] != "Failed"
        ]
        found = (v for group in variants for v in group if v["InstanceType"] == kind)
        return sum(v["InitialInstanceCount"] for v in found)


class FakeSageMaker(Service[Region]):
    """Jobs and endpoints; each look at one brings it one stage further.

    ``ends_in`` is the status that jobs come to, ``reason`` its FailureReason, ``last_stage`` its
    SecondaryStatus where that is another word; ``artefact`` the archive of the model that they
    leave. ``looks`` is at how many looks an endpoint is still being created, ``unfit`` why it
    fails then. ``answer`` makes an endpoint's text, ``shape`` is one of ``SHAPES``; ``speech`` says
    how strictly parameters are minded; ``cold`` counts calls that an endpoint is not ready for
    yet. ``asked`` keeps what endpoints were sent.
    """

    names = ("sagemaker", "sagemaker-runtime", "service-quotas")

    def __init__(self, session: boto3.Session, artefact: bytes = b"") -> None:
        super().__init__()
        self.session, self.artefact = session, artefact
        self.ends_in, self.last_stage, self.reason = "Completed", "", ""
        self.looks, self.unfit = 2, ""
        self.answer: Callable[[str, str], str] = lambda endpoint, prompt: "six"
        self.shape, self.speech = "generation", Speech()
        self.cold: Counter[str] = Counter()
        self.asked: list[dict[str, Any]] = []
        cloud = Cloud(session)
        self.scheduler = Scheduler()
        for service in (self, Tagging(), self.scheduler):
            cloud.add(service)

    def state(self, region: str) -> Region:
        """An empty region with the quota that an account has by default."""
        return Region(region)

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """The jobs of the first region."""
        return self.at().jobs

    @property
    def things(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Models, configurations and endpoints of the first region."""
        return self.at().things

    @property
    def quota(self) -> dict[str, float]:
        """The quota of the first region."""
        return self.at().quota

    @property
    def calls(self) -> Counter[str]:
        """How often each operation was called."""
        return self.cloud.calls

    @property
    def fails(self) -> dict[str, list[tuple[int, str, str]]]:
        """Errors to come, as `Cloud.fails`."""
        return self.cloud.fails

    @property
    def running(self) -> list[str]:
        """Every thing but jobs, in every region, by kind and name."""
        return [
            f"{place.name} {kind} {name}"
            for place in self._states.values()
            for kind, things in place.things.items()
            for name in things
        ]

    def tagged(self, region: str) -> Iterator[tuple[str, dict[str, str]]]:
        """Jobs, for ever, and what there is of the rest."""
        place = self.at(region)
        for name, job in place.jobs.items():
            yield place.arn("training-job", name), tags_of(job["request"])
        for kind, things in place.things.items():
            for name, thing in things.items():
                yield place.arn(KINDS[kind], name), tags_of(thing)

    def put_in_service(
        self, name: str, instance: str = "ml.g5.2xlarge", region: str = REGION, **tags: str
    ) -> None:
        """An endpoint that somebody made, in service, with its configuration and model."""
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        variant = {"ModelName": name, "InstanceType": instance, "InitialInstanceCount": 1}
        made = {"Tags": listed, "created": self.cloud.now, "looks": 0}
        things = self.at(region).things
        things["Model"][name] = {**made, "ModelName": name}
        things["EndpointConfig"][name] = {
            **made,
            "EndpointConfigName": name,
            "ProductionVariants": [{"VariantName": "AllTraffic", **variant}],
        }
        things["Endpoint"][name] = {
            **made,
            "EndpointName": name,
            "EndpointConfigName": name,
            "status": "InService",
        }

    # Training jobs

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
        _check_quota(place, usage, used, machines["InstanceCount"])
        place.jobs[name] = {"request": asked, "at": 0, "stopped": 0, "created": self.cloud.now}
        return {"TrainingJobArn": arn}

    def describe_training_job(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """A look at a job, which brings it further."""
        name = asked["TrainingJobName"]
        job = _job(place, name)
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
        job = _job(place, asked["TrainingJobName"])
        if self._status(job) != "InProgress":
            raise Refused("ValidationException", f"The job is {self._status(job)}, not InProgress.")
        job["stopped"] = 1
        return {}

    # Models, endpoint configurations, endpoints

    def create_model(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """Refuses a model whose data is not there."""
        container = asked["PrimaryContainer"]
        source = container.get("ModelDataSource", {}).get("S3DataSource", {}).get("S3Uri")
        uri = container.get("ModelDataUrl") or source
        if uri and not uri.startswith("s3://jumpstart-") and not self._exists(uri, place.name):
            raise Refused("ValidationException", f"Could not find model data at {uri}.")
        return self._create("Model", place, asked)

    def create_endpoint_config(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """Refuses one whose model is not there."""
        for variant in asked["ProductionVariants"]:
            _thing("Model", place, variant["ModelName"])
        return self._create("EndpointConfig", place, asked)

    def create_endpoint(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """Refuses one without configuration, and machines beyond the quota."""
        config = _thing("EndpointConfig", place, asked["EndpointConfigName"])
        _refuse_double("Endpoint", place, asked["EndpointName"])
        for variant in config["ProductionVariants"]:
            kind = variant["InstanceType"]
            usage = f"{kind} for endpoint usage"
            _check_quota(place, usage, place.instances(kind), variant["InitialInstanceCount"])
        return self._create("Endpoint", place, {**asked, "status": "Creating"})

    def describe_model(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """What it was created with."""
        return self._describe("Model", place, asked)

    def describe_endpoint_config(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """What it was created with."""
        return self._describe("EndpointConfig", place, asked)

    def describe_endpoint(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """A look at an endpoint, which brings it further."""
        thing = _thing("Endpoint", place, asked["EndpointName"])
        thing["looks"] += 1
        if thing["status"] == "Deleting" and thing["looks"] > 1:
            del place.things["Endpoint"][asked["EndpointName"]]
        elif thing["status"] in {"Creating", "Updating"} and thing["looks"] > self.looks:
            thing["status"] = "Failed" if self.unfit else "InService"
        answer = self._describe("Endpoint", place, asked)
        answer |= {"EndpointStatus": thing["status"], "LastModifiedTime": self.cloud.now}
        if thing["status"] == "Failed":
            answer["FailureReason"] = self.unfit
        return answer

    def list_endpoints(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """Endpoints by part of their name, a page at a time."""
        found = [
            {
                "EndpointName": name,
                "EndpointArn": place.arn("endpoint", name),
                "CreationTime": thing["created"],
                "LastModifiedTime": thing["created"],
                "EndpointStatus": thing["status"],
            }
            for name, thing in place.things["Endpoint"].items()
            if asked.get("NameContains", "") in name
        ]
        listed, token = page(found, asked)
        return {"Endpoints": listed} | ({"NextToken": token} if token else {})

    def delete_model(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """At once."""
        _thing("Model", place, asked["ModelName"])
        del place.things["Model"][asked["ModelName"]]
        return {}

    def delete_endpoint_config(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """Refuses one that an endpoint lives by, which the documentation only forbids."""
        name = asked["EndpointConfigName"]
        arn = place.arn("endpoint-config", name)
        _thing("EndpointConfig", place, name)
        if any(e["EndpointConfigName"] == name for e in place.things["Endpoint"].values()):
            raise Refused("ValidationException", f'Endpoint configuration "{arn}" is in use.')
        del place.things["EndpointConfig"][name]
        return {}

    def delete_endpoint(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """Refuses one that is being created, updated or deleted; it is Deleting for a while."""
        name = asked["EndpointName"]
        thing = _thing("Endpoint", place, name)
        if thing["status"] in MAKING:
            arn = place.arn("endpoint", name)
            raise Refused("ValidationException", f'Cannot update in-progress endpoint "{arn}".')
        thing |= {"status": "Deleting", "looks": 0}
        return {}

    def list_tags(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """The tags of a thing, by its ARN."""
        kind, _, name = asked["ResourceArn"].rpartition(":")[2].partition("/")
        if kind == "training-job":
            return {"Tags": _job(place, name)["request"].get("Tags", [])}
        named = {wire: name for name, wire in KINDS.items()}
        return {"Tags": _thing(named[kind], place, name).get("Tags", [])}

    def add_tags(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """Of an endpoint; a tag of that key gets the new value."""
        thing = _thing("Endpoint", place, asked["ResourceArn"].rpartition("/")[2])
        tags = tags_of(thing) | tags_of(asked)
        thing["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        return {"Tags": thing["Tags"]}

    def list_service_quotas(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """Every quota."""
        return {"Quotas": [{"QuotaName": n, "Value": v} for n, v in place.quota.items()]}

    def invoke_endpoint(self, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        """An answer in the chosen shape; refused while the endpoint is cold or not in service."""
        name = asked["EndpointName"]
        if place.things["Endpoint"].get(name, {}).get("status") != "InService":
            message = f"Endpoint {name} of account {ACCOUNT} not found."
            raise Refused("ValidationError", message)
        if self.cold[name] > 0:
            self.cold[name] -= 1
            raise Refused("ModelNotReadyException", "The model is still being loaded.", 429)
        sent = json.loads(asked["Body"])
        self.asked.append(sent)
        words = spoken(self.answer(name, sent["inputs"]), sent, self.speech)
        body = json.dumps(SHAPES[self.shape](words, sent["inputs"])).encode()
        return {"Body": body, "ContentType": "application/json"}

    def _create(self, kind: str, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked[f"{kind}Name"]
        _refuse_double(kind, place, name)
        tags_of(asked)
        place.things[kind][name] = {**asked, "looks": 0, "created": self.cloud.now}
        return {f"{kind}Arn": place.arn(KINDS[kind], name)}

    def _describe(self, kind: str, place: Region, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked[f"{kind}Name"]
        thing = _thing(kind, place, name)
        own = {"looks", "Tags", "status", "created"}
        answer = {key: value for key, value in thing.items() if key not in own}
        arn = place.arn(KINDS[kind], name)
        return {**answer, f"{kind}Arn": arn, "CreationTime": thing["created"]}

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

    def _exists(self, uri: str, region: str) -> bool:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        s3 = self.session.client("s3", region_name=region)
        return bool(s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("KeyCount"))


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


def _job(place: Region, name: str) -> dict[str, Any]:
    if name not in place.jobs:
        raise Refused("ValidationException", "Requested resource not found.")
    return place.jobs[name]


def _thing(kind: str, place: Region, name: str) -> dict[str, Any]:
    if name not in place.things[kind]:
        arn = place.arn(KINDS[kind], name)
        raise Refused("ValidationException", f'Could not find {TITLES[kind]} "{arn}".')
    return place.things[kind][name]


def _refuse_double(kind: str, place: Region, name: str) -> None:
    if name in place.things[kind]:
        arn = place.arn(KINDS[kind], name)
        message = f'Cannot create already existing {TITLES[kind]} "{arn}".'
        raise Refused("ValidationException", message)


def _check_quota(place: Region, usage: str, used: int, more: int) -> None:
    limit = place.quota.get(usage)
    if limit is not None and used + more > limit:
        raise Refused(
            "ResourceLimitExceeded",
            f"The account-level service limit '{usage}' is {limit:g} Instances, with current "
            f"utilization of {used} Instances and a request delta of {more} Instances. Please use "
            "AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is "
            f"not available, contact AWS support. ({ACCOUNT})",
        )
