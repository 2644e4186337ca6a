"""EventBridge Scheduler: one-time schedules that call an AWS operation when they are due."""

import datetime
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.cloud.fake.cloud import ACCOUNT, Refused, Service

UNIVERSAL = re.compile(r"arn:aws:scheduler:::aws-sdk:(\w+):(\w+)")


@dataclass
class Schedules:
    """The schedules of a region."""

    region: str
    named: dict[str, dict[str, Any]] = field(default_factory=dict)


class Scheduler(Service[Schedules]):
    """Schedules; ``Cloud.sleep`` makes those that are due call what they were made for.

    ``called`` keeps what they called; a call that is refused is tried again at the next tick, as
    the retry policy has it.
    """

    names = ("scheduler",)

    def __init__(self) -> None:
        super().__init__()
        self.called: list[tuple[str, dict[str, Any]]] = []

    def state(self, region: str) -> Schedules:
        """None yet."""
        return Schedules(region)

    @property
    def schedules(self) -> dict[str, dict[str, Any]]:
        """Those of the first region, by name."""
        return self.at().named

    def create_schedule(self, place: Schedules, asked: dict[str, Any]) -> dict[str, Any]:
        """Refuses a name that is there, a time that is none, a role that it may not assume."""
        name = asked["Name"]
        if name in place.named:
            raise Refused("ConflictException", f"Schedule {name} already exists.", 409)
        if not UNIVERSAL.fullmatch(asked["Target"]["Arn"]):
            raise Refused("ValidationException", f"Invalid target {asked['Target']['Arn']}.")
        _due(asked)
        self._check_role(asked["Target"]["RoleArn"])
        place.named[name] = asked
        return {"ScheduleArn": _arn(place, name)}

    def get_schedule(self, place: Schedules, asked: dict[str, Any]) -> dict[str, Any]:
        """What it was created with."""
        _refuse_missing(place, asked["Name"])
        found = place.named[asked["Name"]]
        told = {key: value for key, value in found.items() if key != "ClientToken"}
        return {**told, "Arn": _arn(place, asked["Name"])}

    def delete_schedule(self, place: Schedules, asked: dict[str, Any]) -> dict[str, Any]:
        """At once."""
        _refuse_missing(place, asked["Name"])
        del place.named[asked["Name"]]
        return {}

    def tick(self) -> None:
        """Call what is due."""
        for place in self._states.values():
            for name, schedule in [*place.named.items()]:
                if _due(schedule).timestamp() > self.cloud.now:
                    continue
                target = schedule["Target"]
                found = UNIVERSAL.fullmatch(target["Arn"])
                assert found
                service, operation = found.groups()
                operation = operation[0].upper() + operation[1:]
                asked = json.loads(target["Input"])
                try:
                    self.cloud.call(service, operation, place.region, asked)
                except Refused as error:
                    if "in-progress" in error.message:
                        continue
                self.called.append((operation, asked))
                if schedule.get("ActionAfterCompletion") == "DELETE":
                    del place.named[name]

    def _check_role(self, arn: str) -> None:
        name = arn.rpartition("/")[2]
        iam = self.cloud.session.client("iam")
        refused = Refused(
            "ValidationException",
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the "
            "role.",
        )
        try:
            role = iam.get_role(RoleName=name)["Role"]
        except iam.exceptions.NoSuchEntityException:
            raise refused from None
        document = role["AssumeRolePolicyDocument"]
        trust = unquote(document) if isinstance(document, str) else json.dumps(document)
        if "scheduler.amazonaws.com" not in trust:
            raise refused


def _due(schedule: dict[str, Any]) -> datetime.datetime:
    found = re.fullmatch(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)", schedule["ScheduleExpression"])
    if found is None:
        raise Refused(
            "ValidationException",
            f"Invalid Schedule Expression {schedule['ScheduleExpression']}.",
        )
    if schedule.get("ScheduleExpressionTimezone", "UTC") != "UTC":
        raise Refused("ValidationException", "The fake knows UTC only.")
    return datetime.datetime.fromisoformat(found[1]).replace(tzinfo=datetime.UTC)


def _refuse_missing(place: Schedules, name: str) -> None:
    if name not in place.named:
        raise Refused("ResourceNotFoundException", f"Schedule {name} does not exist.", 404)


def _arn(place: Schedules, name: str) -> str:
    return f"arn:aws:scheduler:{place.region}:{ACCOUNT}:schedule/default/{name}"
