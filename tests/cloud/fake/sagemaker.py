"""SageMaker's models, endpoint configurations and endpoints, and what endpoints answer.

What an endpoint may not do is from public issues: it is not deleted while it is being created,
updated or deleted.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import boto3

from tests.cloud.fake.answers import SHAPES, Speech, spoken
from tests.cloud.fake.cloud import ACCOUNT, REGION, Cloud, Refused, page, tags_of
from tests.cloud.fake.region import KINDS, Region, check_quota
from tests.cloud.fake.scheduler import Scheduler
from tests.cloud.fake.tagging import Tagging
from tests.cloud.fake.training import TrainingJobs, job_of

TITLES = {"Model": "model", "EndpointConfig": "endpoint configuration", "Endpoint": "endpoint"}
MAKING = ("Creating", "Updating", "Deleting")


class FakeSageMaker(TrainingJobs):
    """Jobs and endpoints; each look at one brings it one stage further.

    ``looks`` is at how many looks an endpoint is still being created, ``unfit`` why it fails then.
    ``answer`` makes an endpoint's text, ``shape`` is one of ``SHAPES``; ``speech`` says how
    strictly parameters are minded; ``cold`` counts calls that an endpoint is not ready for yet.
    ``asked`` keeps what endpoints were sent.
    """

    names = ("sagemaker", "sagemaker-runtime", "service-quotas")

    def __init__(self, session: boto3.Session, artefact: bytes = b"") -> None:
        super().__init__(session, artefact)
        self.looks, self.unfit = 2, ""
        self.answer: Callable[[str, str], str] = lambda endpoint, prompt: "six"
        self.shape, self.speech = "generation", Speech()
        self.cold: Counter[str] = Counter()
        self.asked: list[dict[str, Any]] = []
        self._s3: dict[str, Any] = {}
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
            check_quota(place, usage, place.instances(kind), variant["InitialInstanceCount"])
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
            return {"Tags": job_of(place, name)["request"].get("Tags", [])}
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

    def _exists(self, uri: str, region: str) -> bool:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if region not in self._s3:  # making one takes longer than all that it is asked
            self._s3[region] = self.session.client("s3", region_name=region)
        s3 = self._s3[region]
        return bool(s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("KeyCount"))


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
