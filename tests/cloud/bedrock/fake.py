"""Bedrock's model import and its runtime: what moto has not, behind botocore."""

import base64
import binascii
import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import boto3

from tests.cloud.fake import ACCOUNT, Refused, Service

KNOWN = ("LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM")
QUOTA = "Imported models per account"


@dataclass
class Place:
    """What Bedrock has in a region: import jobs and imported models by name."""

    name: str
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)


class FakeBedrock(Service[Place]):
    """Imports and what was imported; each look at an import brings it one stage further.

    ``looks`` is at how many looks an import is still running, ``reason`` why it fails then (empty:
    it reads what lies in S3), ``units`` what a model has. ``quota`` is how many models there may
    be. ``cold`` is how many calls a model is not ready for, ``busy`` how many deletions are
    refused. ``answer`` makes a text of a prompt, ``knows`` are the names of a body that are not
    ignored, ``shape`` is what it is answered in; ``asked`` keeps the bodies.
    """

    names = ("bedrock", "bedrock-runtime")

    def __init__(self, session: boto3.Session) -> None:
        super().__init__()
        self.session = session
        self.looks, self.reason, self.units, self.quota = 2, "", 2, 3
        self.cold = self.busy = 0
        self.answer: Callable[[str], str] = lambda prompt: "six"
        self.knows: tuple[str, ...] = ("prompt", "max_tokens", "temperature", "stop")
        self.shape = "choices"
        self.asked: list[dict[str, Any]] = []
        self._later: dict[int, Callable[[], object]] = {}

    def state(self, region: str) -> Place:
        """Nothing was imported yet."""
        return Place(region)

    def tagged(self, region: str) -> Iterator[tuple[str, dict[str, str]]]:
        """Jobs and models with their tags."""
        place = self.at(region)
        for things in (place.jobs, place.models):
            for thing in things.values():
                yield thing["arn"], thing["tags"]

    def after(self, answers: int, call: Callable[[], object]) -> None:
        """Have something happen once so many prompts were answered."""
        self._later[answers] = call

    def calls_of(self, operation: str) -> int:
        """How often an operation was called."""
        return self.cloud.calls[operation]

    def create_model_import_job(self, place: Place, asked: dict[str, Any]) -> dict[str, Any]:
        """The same token again is the same job; a name that is there, and too many, are refused."""
        name = asked["jobName"]
        for job in place.jobs.values():
            if job["asked"]["clientRequestToken"] == asked["clientRequestToken"]:
                return {"jobArn": job["arn"]}
        if name in place.jobs or asked["importedModelName"] in place.models:
            raise Refused("ConflictException", f"{name} already exists.", 409)
        if len(place.models) >= self.quota:
            raise Refused("ServiceQuotaExceededException", "The limit of imported models.", 400)
        self._check_role(asked["roleArn"])
        tags = {tag["key"]: tag["value"] for tag in asked.get("jobTags", ())}
        if len(tags) < len(asked.get("jobTags", ())):
            raise Refused("ValidationException", "Duplicate tag keys.")
        number = f"{len(place.jobs):010d}xy"
        arn = f"arn:aws:bedrock:{place.name}:{ACCOUNT}:model-import-job/{number}"
        place.jobs[name] = {
            "asked": asked,
            "arn": arn,
            "tags": tags,
            "looks": 0,
            "status": "InProgress",
            "since": self.cloud.now,
            "model": f"arn:aws:bedrock:{place.name}:{ACCOUNT}:imported-model/{number}",
        }
        return {"jobArn": arn}

    def get_model_import_job(self, place: Place, asked: dict[str, Any]) -> dict[str, Any]:
        """How it is; a look brings it further."""
        job = self._job(place, asked["jobIdentifier"])
        job["looks"] += 1
        if job["status"] == "InProgress" and job["looks"] > self.looks:
            self._finish(place, job)
        return self._told(job)

    def list_model_import_jobs(self, place: Place, asked: dict[str, Any]) -> dict[str, Any]:
        """All of a status."""
        wanted = asked.get("statusEquals")
        found = [
            {
                "jobArn": job["arn"],
                "jobName": name,
                "status": job["status"],
                "creationTime": _iso(job["since"]),
            }
            for name, job in place.jobs.items()
            if wanted in {None, job["status"]}
        ]
        return {"modelImportJobSummaries": found}

    def get_imported_model(self, place: Place, asked: dict[str, Any]) -> dict[str, Any]:
        """A model, once it is imported."""
        model = self._model(place, asked["modelIdentifier"])
        units = {"customModelUnitsPerModelCopy": self.units, "customModelUnitsVersion": "v1.0"}
        return {
            "modelArn": model["arn"],
            "modelName": model["name"],
            "creationTime": _iso(model["since"]),
            "modelArchitecture": model["architecture"],
            "customModelUnits": units,
        }

    def list_imported_models(self, place: Place, asked: dict[str, Any]) -> dict[str, Any]:
        """One a page, so that who does not turn pages misses some."""
        listed = [
            {
                "modelArn": model["arn"],
                "modelName": name,
                "creationTime": _iso(model["since"]),
            }
            for name, model in place.models.items()
        ]
        start = int(asked.get("nextToken", 0))
        more = {"nextToken": str(start + 1)} if start + 1 < len(listed) else {}
        return {"modelSummaries": listed[start : start + 1], **more}

    def delete_imported_model(self, place: Place, asked: dict[str, Any]) -> dict[str, Any]:
        """Refused while it is being imported, and as often as ``busy`` says."""
        wanted = asked["modelIdentifier"]
        job = place.jobs.get(wanted)
        if (job and job["status"] == "InProgress") or self.busy:
            self.busy = max(0, self.busy - 1)
            raise Refused("ConflictException", "The model is being imported.", 409)
        del place.models[self._model(place, wanted)["name"]]
        return {}

    def list_tags_for_resource(self, place: Place, asked: dict[str, Any]) -> dict[str, Any]:
        """The tags of a job or a model."""
        for arn, tags in self.tagged(place.name):
            if arn == asked["resourceARN"]:
                return {"tags": [{"key": k, "value": v} for k, v in tags.items()]}
        raise Refused("ResourceNotFoundException", "no such resource", 404)

    def invoke_model(self, place: Place, asked: dict[str, Any]) -> dict[str, Any]:
        """An answer, in the shape that the model has."""
        text, counts = self._answered(place, asked)
        return {"body": json.dumps(self._shaped(text, *counts)).encode(), "contentType": "json"}

    def invoke_model_with_response_stream(
        self, place: Place, asked: dict[str, Any]
    ) -> dict[str, Any]:
        """The same in pieces, a word each; the counts come at the end."""
        text, (read, written, finish) = self._answered(place, asked)
        words = [f" {word}" if n else word for n, word in enumerate(text.split(" "))]
        pieces: list[dict[str, Any]] = [{"choices": [{"text": word}]} for word in words]
        usage = {"prompt_tokens": read, "completion_tokens": written}
        pieces.append({"choices": [{"text": "", "finish_reason": finish}], "usage": usage})
        events = b"".join(_event(json.dumps(piece).encode()) for piece in pieces)
        return {"body": events, "contentType": "application/json"}

    def _answered(self, place: Place, asked: dict[str, Any]) -> tuple[str, tuple[int, int, str]]:
        if not any(model["arn"] == asked["modelId"] for model in place.models.values()):
            raise Refused("ValidationException", "The provided model identifier is invalid.")
        if self.cold:
            self.cold -= 1
            raise Refused("ModelNotReadyException", "The model is not ready. Try again.", 429)
        body = {k: v for k, v in json.loads(asked["body"]).items() if k in self.knows}
        self.asked.append(json.loads(asked["body"]))
        for count, call in self._later.items():
            if len(self.asked) == count:
                call()
        words = self.answer(body["prompt"]).split(" ")
        most = body.get("max_tokens", 512)
        text = " ".join(words[:most])
        for stop in body.get("stop", ()):
            text = text.partition(stop)[0]
        finish = "length" if len(words) > most else "stop"
        written = min(len(words), most) + (finish == "stop" and len(words) < most)
        return text, (len(body["prompt"].split()) + 1, written, finish)

    def _shaped(self, text: str, read: int, written: int, finish: str) -> dict[str, Any]:
        if self.shape == "generation":
            counts = {"prompt_token_count": read, "generation_token_count": written}
            return {"generation": text, **counts, "stop_reason": finish}
        if self.shape == "outputs":
            return {"outputs": [{"text": text, "stop_reason": finish}]}
        usage = {"prompt_tokens": read, "completion_tokens": written}
        return {"choices": [{"index": 0, "text": text, "finish_reason": finish}], "usage": usage}

    def _finish(self, place: Place, job: dict[str, Any]) -> None:
        """Read what lies in S3, as an import does, and be done."""
        job["reason"] = self.reason or self._fault(place, job)
        job["status"] = "Failed" if job["reason"] else "Completed"
        job["ended"] = self.cloud.now
        if not job["reason"]:
            name = job["asked"]["importedModelName"]
            tags = {t["key"]: t["value"] for t in job["asked"].get("importedModelTags", ())}
            place.models[name] = {
                "name": name,
                "arn": job["model"],
                "tags": tags,
                "since": self.cloud.now,
                "architecture": "llama",
            }

    def _fault(self, place: Place, job: dict[str, Any]) -> str:
        uri = job["asked"]["modelDataSource"]["s3DataSource"]["s3Uri"]
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        s3 = self.session.client("s3", region_name=place.name)
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
        names = {entry["Key"].removeprefix(prefix) for entry in listed}
        for wanted in ("config.json", "tokenizer.json", "tokenizer_config.json"):
            if wanted not in names:
                return f"{wanted} is missing"
        if not any(name.endswith(".safetensors") for name in names):
            return "no safetensors"
        config = json.loads(s3.get_object(Bucket=bucket, Key=f"{prefix}config.json")["Body"].read())
        if config["architectures"][0] not in KNOWN:
            return f"unsupported architecture {config['architectures'][0]}"
        return "" if "rope_theta" in config else "rope_theta is missing in config.json"

    def _job(self, place: Place, wanted: str) -> dict[str, Any]:
        for name, job in place.jobs.items():
            if wanted in {name, job["arn"]}:
                return job
        raise Refused("ResourceNotFoundException", f"no import job {wanted}", 404)

    def _model(self, place: Place, wanted: str) -> dict[str, Any]:
        for name, model in place.models.items():
            if wanted in {name, model["arn"]}:
                return model
        raise Refused("ResourceNotFoundException", f"no imported model {wanted}", 404)

    def _told(self, job: dict[str, Any]) -> dict[str, Any]:
        found = {
            "jobArn": job["arn"],
            "jobName": job["asked"]["jobName"],
            "importedModelName": job["asked"]["importedModelName"],
            "roleArn": job["asked"]["roleArn"],
            "modelDataSource": job["asked"]["modelDataSource"],
            "status": job["status"],
            "creationTime": _iso(job["since"]),
        }
        if job["status"] != "InProgress":
            found["endTime"] = _iso(job["ended"])
        if job["status"] == "Failed":
            found["failureMessage"] = job["reason"]
        if job["status"] == "Completed":
            found["importedModelArn"] = job["model"]
        return found

    def _check_role(self, arn: str) -> None:
        iam = self.session.client("iam")
        try:
            role = iam.get_role(RoleName=arn.rpartition("/")[2])["Role"]
        except iam.exceptions.NoSuchEntityException:
            raise Refused("ValidationException", "The role does not exist.") from None
        document = role["AssumeRolePolicyDocument"]
        trust = unquote(document) if isinstance(document, str) else json.dumps(document)
        if "bedrock.amazonaws.com" not in trust:
            raise Refused("ValidationException", "Bedrock cannot assume the role.")


def _iso(seconds: float) -> str:
    import datetime

    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()


def _event(content: bytes) -> bytes:
    """A chunk as the event stream's encoding has it: lengths, checksums, headers, payload."""
    payload = json.dumps({"bytes": base64.b64encode(content).decode()}).encode()
    named = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        struct.pack("!B", len(k)) + k.encode() + struct.pack("!BH", 7, len(v)) + v.encode()
        for k, v in named.items()
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    prelude += struct.pack("!I", binascii.crc32(prelude))
    message = prelude + headers + payload
    return message + struct.pack("!I", binascii.crc32(message))
