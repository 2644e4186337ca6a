"""A thin fake of what moto lacks of SageMaker: the life of a job and of an endpoint.

It answers the JSON calls of ``sagemaker``, ``sagemaker-runtime`` and ``service-quotas`` at the
HTTP level, so botocore's own validation, retries and parsing are in play; moto answers the rest.
The same object serves a session in this process and, as WSGI, ``serve`` over loopback.
"""

import contextlib
import io
import json
import re
import tarfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse

ACCOUNT = "123456789012"
REGION = "us-east-1"
STAGES = ["Starting", "Downloading", "Training", "Training", "Training", "Uploading", "Completed"]
EPOCHS = [(1.4238, 1.3190), (1.3069, 1.2804)]
GROUP = "/aws/sagemaker/TrainingJobs"
MINUTE = 60.0


class Killed(BaseException):
    """The process was killed: nothing of ours may catch it."""


class FakeSageMaker:
    """SageMaker with jobs and endpoints; each look at a job brings it one stage further.

    ``fails`` maps an operation to errors that its next calls give, each ``(status, code,
    message)``. ``ends_in`` is the status that jobs come to, ``reason`` its FailureReason,
    ``last_stage`` its SecondaryStatus where that is another word.
    ``answer`` makes an endpoint's text, ``shape`` names the field that it stands in;
    ``asked`` keeps what endpoints were sent.
    """

    def __init__(self, session: boto3.Session, artefact: bytes = b"") -> None:
        self.session, self.artefact = session, artefact
        self.jobs: dict[str, dict[str, Any]] = {}
        self.things: dict[str, dict[str, dict[str, Any]]] = {
            "Model": {},
            "EndpointConfig": {},
            "Endpoint": {},
        }
        self.quota: dict[str, float] = {
            "ml.g5.12xlarge for training job usage": 2,
            "ml.g5.2xlarge for endpoint usage": 2,
        }
        self.fails: dict[str, list[tuple[int, str, str]]] = {}
        self.ends_in, self.last_stage, self.reason = "Completed", "", ""
        self.answer: Callable[[str, str], str] = lambda endpoint, prompt: "six"
        self.shape = "generation"
        self.calls: Counter[str] = Counter()
        self.asked: list[dict[str, Any]] = []

    def handle(self, target: str, path: str, body: bytes) -> tuple[int, bytes]:
        """One request: the value of X-Amz-Target, or the path for the runtime; status and body."""
        found = re.match(r"/endpoints/([^/]+)/invocations", path)
        operation = "InvokeEndpoint" if found else target.rpartition(".")[2]
        self.calls[operation] += 1
        if self.fails.get(operation):
            status, code, message = self.fails[operation].pop(0)
            return status, json.dumps({"__type": code, "message": message}).encode()
        asked = json.loads(body or b"{}")
        if found:
            return self._invoke(found[1], asked)
        try:
            answer = getattr(self, f"_{operation}")(asked)
        except LookupError as error:
            message = f"Requested resource not found. {error.args[0]}"
            return 400, json.dumps({"__type": "ValidationException", "message": message}).encode()
        except FileExistsError as error:
            message = f"{error.args[0]} already exists"
            return 400, json.dumps({"__type": "ResourceInUse", "message": message}).encode()
        return 200, json.dumps(answer).encode()

    def send(self, request: Any, **_: Any) -> AWSResponse:
        """The handler of botocore's ``before-send`` event."""
        target = request.headers.get("X-Amz-Target", b"")
        target = target.decode() if isinstance(target, bytes) else target
        path = re.sub(r"https?://[^/]+", "", request.url)
        body = request.body
        status, content = self.handle(
            target, path, body.encode() if isinstance(body, str) else body or b""
        )
        return AWSResponse(request.url, status, {}, _Raw(content))

    def _CreateTrainingJob(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["TrainingJobName"]
        if name in self.jobs:
            raise FileExistsError(f"Training job {name}")
        self.jobs[name] = {"request": asked, "at": 0, "stopped": False}
        return {"TrainingJobArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{name}"}

    def _DescribeTrainingJob(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["TrainingJobName"]
        if name not in self.jobs:
            raise LookupError(name)
        job = self.jobs[name]
        stage = STAGES[job["at"]]
        status = "InProgress"
        if job["stopped"]:
            stage = status = "Stopped"
        elif stage == "Completed":
            status = self.ends_in
            stage = self.last_stage or status
        elif job["at"] + 1 < len(STAGES):
            job["at"] += 1
            self._log(name, job)
            if STAGES[job["at"]] == "Completed" and self.ends_in == "Completed":
                self._leave_artefact(name, job["request"])
        now = time.time()
        output = job["request"]["OutputDataConfig"]["S3OutputPath"]
        answer = {
            "TrainingJobName": name,
            "TrainingJobArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{name}",
            "TrainingJobStatus": status,
            "SecondaryStatus": stage,
            "CreationTime": now - 600,
            "TrainingStartTime": now - 600,
            "ModelArtifacts": {"S3ModelArtifacts": f"{output}/{name}/output/model.tar.gz"},
        }
        for key in ("ResourceConfig", "OutputDataConfig", "RoleArn"):
            answer[key] = job["request"][key]
        if status == "Failed":
            answer["FailureReason"] = self.reason
        if status != "InProgress":
            answer |= {"TrainingEndTime": now, "BillableTimeInSeconds": 600}
        return answer

    def _ListTrainingJobs(self, asked: dict[str, Any]) -> dict[str, Any]:
        wanted = asked.get("NameContains", "")
        status = asked.get("StatusEquals")
        found = []
        arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/"
        for name, job in self.jobs.items():
            ended = job["stopped"] or STAGES[job["at"]] == "Completed"
            now = ("Stopped" if job["stopped"] else self.ends_in) if ended else "InProgress"
            if wanted in name and status in {None, now}:
                found.append(
                    {
                        "TrainingJobName": name,
                        "TrainingJobArn": arn + name,
                        "TrainingJobStatus": now,
                        "CreationTime": 0,
                    }
                )
        return {"TrainingJobSummaries": found}

    def _StopTrainingJob(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.jobs[asked["TrainingJobName"]]["stopped"] = True
        return {}

    def _ListServiceQuotas(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"Quotas": [{"QuotaName": n, "Value": v} for n, v in self.quota.items()]}

    def _ListTags(self, asked: dict[str, Any]) -> dict[str, Any]:
        kind, _, name = asked["ResourceArn"].rpartition(":")[2].partition("/")
        kinds = {"endpoint": "Endpoint", "endpoint-config": "EndpointConfig", "model": "Model"}
        if kind == "training-job":
            return {"Tags": self.jobs[name]["request"]["Tags"]}
        return {"Tags": self.things[kinds[kind]][name].get("Tags", [])}

    def __getattr__(self, name: str) -> Any:
        """Create, describe, list and delete of models, endpoint configurations and endpoints."""
        found = re.match(r"^_(Create|Describe|List|Delete)(Model|EndpointConfig|Endpoint)s?$", name)
        if not found:
            raise AttributeError(name)
        verb, kind = found.groups()
        return lambda asked: getattr(self, f"_{verb.lower()}")(kind, asked)

    def _create(self, kind: str, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked[f"{kind}Name"]
        if name in self.things[kind]:
            message = f"Cannot create already existing {kind} {name}"
            raise FileExistsError(message)
        self.things[kind][name] = {**asked, "looks": 0}
        return {f"{kind}Arn": self._arn(kind, name)}

    def _describe(self, kind: str, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked[f"{kind}Name"]
        if name not in self.things[kind]:
            raise LookupError(f'Could not find {kind} "{name}".')
        thing = self.things[kind][name]
        thing["looks"] += 1
        answer = {k: v for k, v in thing.items() if k not in {"looks", "Tags"}}
        answer |= {f"{kind}Arn": self._arn(kind, name), "CreationTime": time.time() - 30 * MINUTE}
        if kind == "Endpoint":
            answer["EndpointStatus"] = "InService" if thing["looks"] > 2 else "Creating"
            answer["LastModifiedTime"] = time.time()
        return answer

    def _list(self, kind: str, asked: dict[str, Any]) -> dict[str, Any]:
        wanted = asked.get("NameContains", "")
        found = [
            {
                f"{kind}Name": name,
                f"{kind}Arn": self._arn(kind, name),
                "CreationTime": time.time() - 30 * MINUTE,
                **(
                    {"EndpointStatus": "InService", "LastModifiedTime": time.time()}
                    if kind == "Endpoint"
                    else {}
                ),
            }
            for name in self.things[kind]
            if wanted in name
        ]
        return {f"{kind}s": found}

    def _delete(self, kind: str, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked[f"{kind}Name"]
        if name not in self.things[kind]:
            raise LookupError(f'Could not find {kind} "{name}".')
        del self.things[kind][name]
        return {}

    def _invoke(self, endpoint: str, asked: dict[str, Any]) -> tuple[int, bytes]:
        if endpoint not in self.things["Endpoint"]:
            message = f"Endpoint {endpoint} of account {ACCOUNT} not found."
            return 400, json.dumps({"__type": "ValidationError", "message": message}).encode()
        self.asked.append(asked)
        text = self.answer(endpoint, asked["inputs"])
        return 200, json.dumps([{self.shape: text}]).encode()

    def _arn(self, kind: str, name: str) -> str:
        kinds = {"Endpoint": "endpoint", "EndpointConfig": "endpoint-config", "Model": "model"}
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kinds[kind]}/{name}"

    def _log(self, name: str, job: dict[str, Any]) -> None:
        """What the container writes as it comes to an epoch's end."""
        epoch = job["at"] - 3
        if not 0 <= epoch < len(EPOCHS):
            return
        logs = self.session.client("logs", region_name=REGION)
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

    def _leave_artefact(self, name: str, request: dict[str, Any]) -> None:
        output = request["OutputDataConfig"]["S3OutputPath"].removeprefix("s3://")
        bucket, _, prefix = output.partition("/")
        self.session.client("s3", region_name=REGION).put_object(
            Bucket=bucket, Key=f"{prefix}/{name}/output/model.tar.gz", Body=self.artefact
        )


class _Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Any:
        """The content, at once."""
        yield self.read()


class Trap:
    """Kills at the n-th AWS call of a session: before it goes out, or after it was answered.

    It counts uploads too. ``set`` begins again; None sets no trap.
    """

    def __init__(self, session: boto3.Session) -> None:
        self._left: int | None = None
        self._after = False
        self.uploads = 0
        session.events.register("before-call", self._before)
        session.events.register("after-call", self._answered)

    def set(self, call: int | None, *, after: bool = False) -> None:
        """Kill at the n-th call from now."""
        self._left, self._after, self.uploads = call, after, 0

    def _before(self, **_: Any) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Killed

    def _answered(self, event_name: str, **_: Any) -> None:
        self.uploads += event_name.endswith("PutObject")
        if self._left == 0 and self._after:
            raise Killed


def archive(folder: Path) -> bytes:
    """A folder's files as a gzipped tar, as SageMaker leaves a model."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, arcname=path.name)
    return content.getvalue()
