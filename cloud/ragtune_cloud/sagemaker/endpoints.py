"""Endpoints of a promoted model: never made by default, found by name, deleted as a whole.

A side is ``base`` (JumpStart's own weights) or ``tuned`` (the job's). Its model, endpoint
configuration and endpoint carry one name, so that the same command finds what a killed one left.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from time import sleep
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.progress import Watcher
from ragtune.recipe.schema import Recipe
from ragtune_cloud.sagemaker import catalog, jobs, remedies
from ragtune_cloud.sagemaker.account import Account, aws_errors, code_of
from ragtune_cloud.sagemaker.names import ACCOUNT, IDENTITY_TAG, masked
from ragtune_cloud.sagemaker.record import Record
from ragtune_cloud.sagemaker.spec import Spec
from ragtune_cloud.target import SIDES, Side

KINDS = ("endpoint", "endpoint_config", "model")
"""In the order of deletion."""
POLL = 15.0
"""Seconds between two looks at an endpoint that is being made."""
PATIENCE = 3600.0
"""Seconds after which an endpoint that is still being made is given up."""
_FIELD = {"endpoint": "EndpointName", "endpoint_config": "EndpointConfigName", "model": "ModelName"}


@dataclass(frozen=True)
class Offer:
    """What a side's endpoint would be: its name, instance, price."""

    name: str
    side: Side
    instance_type: str
    usd_per_hour: float | None

    def __str__(self) -> str:
        if self.usd_per_hour is None:
            return f"{self.name}: {self.instance_type}, no price known"
        return (
            f"{self.name}: {self.instance_type}, ${self.usd_per_hour:.2f} an hour, "
            f"${24 * self.usd_per_hour:.2f} a day until it is deleted"
        )


def endpoint_name(record: Record, side: Side) -> str:
    """The name of a side's endpoint, configuration and model."""
    return f"{record.job}-{side}"


def offer(
    record: Record, spec: Spec, side: Side, instance_type: str | None, *, eula: bool
) -> Offer:
    """What deploying a side would cost; ``eula`` says whether the model's licence is accepted.

    Raises CloudError for an instance that the model is not served on or whose price is not known,
    and for a model whose licence has to be accepted first.
    """
    if spec.needs_eula and not eula:
        where = f", {spec.licence}," if spec.licence else ","
        raise CloudError(
            f"{spec.model_id}: read its licence{where} then accept it with --accept-eula"
        )
    trained_on = record.instance_type if side == "tuned" else None
    chosen = instance_type or spec.default_serving_instance(trained_on) or "none by default"
    if chosen not in (allowed := spec.serving_instances(trained_on)):
        raise CloudError(
            f"--instance-type {chosen}: {spec.model_id} is not served on it; "
            f"allowed: {', '.join(allowed)}"
        )
    hourly = catalog.usd_per_hour(chosen, region=record.region, prices=record.prices)
    if hourly is None:
        raise CloudError(catalog.no_price(chosen, record.region))
    return Offer(endpoint_name(record, side), side, chosen, hourly)


def deploy(
    offered: Offer,
    record: Record,
    recipe: Recipe,
    spec: Spec,
    *,
    account: Account,
    watcher: Watcher,
) -> None:
    """Make the model, its configuration and its endpoint, each unless it is there.

    Raises CloudError where the job was not completed, or AWS refuses.
    """
    tags = [
        {"Key": IDENTITY_TAG, "Value": recipe.identity},
        *({"Key": key, "Value": value} for key, value in recipe.cloud.tags.items()),
    ]
    requests = {
        "model": _model(offered, record, recipe, spec, account),
        "endpoint_config": _configuration(offered, recipe, spec),
        "endpoint": {"EndpointConfigName": offered.name},
    }
    for kind, request in requests.items():
        if exists(account, kind, offered.name):
            watcher.say(f"{offered.name}: {kind} is there already")
            continue
        with aws_errors(account.id):
            create = getattr(account.client("sagemaker"), f"create_{kind}")
            create(**{_FIELD[kind]: offered.name, **request, "Tags": tags})
        watcher.say(f"{offered.name}: {kind} made")


def wait(name: str, account: Account, watcher: Watcher) -> None:
    """Wait until an endpoint is in service.

    Raises CloudError, with the remedy where it is known, when it fails or takes over an hour.
    """
    seen, waited = "", 0.0
    while True:
        with aws_errors(account.id):
            found = account.client("sagemaker").describe_endpoint(EndpointName=name)
        status = found["EndpointStatus"]
        if status != seen:
            watcher.say(f"{name}: {status}")
            seen = status
        if status == "InService":
            return
        if status == "Failed":
            reason = masked(found.get("FailureReason", "no reason was given"), account.id)
            raise CloudError(f"{name}: failed: {reason}; {remedies.remedy(reason)}")
        if waited > PATIENCE:
            raise CloudError(
                f"{name}: still {status} after an hour; delete it: {one_liner(name, account)}"
            )
        sleep(POLL)
        waited += POLL


def delete(
    record: Record, account: Account, watcher: Watcher, sides: Iterable[Side] = SIDES
) -> None:
    """Delete the endpoints of the sides with their configurations and models.

    Raises CloudError, with a line that deletes by hand, where AWS refuses.
    """
    for side in sides:
        name = endpoint_name(record, side)
        try:
            for kind in KINDS:
                if exists(account, kind, name):
                    with aws_errors(account.id):
                        remove = getattr(account.client("sagemaker"), f"delete_{kind}")
                        remove(**{_FIELD[kind]: name})
                    watcher.say(f"{name}: {kind} deleted")
        except CloudError as error:
            raise CloudError(f"{error}; delete it: {one_liner(name, account)}") from None


def one_liner(name: str, account: Account) -> str:
    """The shell command that deletes an endpoint without this tool."""
    return f"aws sagemaker delete-endpoint --endpoint-name {name} --region {account.region}"


def exists(account: Account, kind: str, name: str) -> bool:
    """Whether there is a model, endpoint configuration or endpoint of that name."""
    from botocore.exceptions import ClientError

    with aws_errors(account.id):
        try:
            getattr(account.client("sagemaker"), f"describe_{kind}")(**{_FIELD[kind]: name})
        except ClientError as error:
            if code_of(error) in {"ValidationException", "ResourceNotFound"}:
                return False
            raise
    return True


def _model(
    offered: Offer, record: Record, recipe: Recipe, spec: Spec, account: Account
) -> dict[str, Any]:
    model, instance = f"{spec.model_id} {spec.version}", offered.instance_type
    if offered.side == "tuned":
        now = jobs.status(record, account)
        jobs.check_ended_well(now)
        left = (now.artefact or "").replace(ACCOUNT, account.id)
        made = spec.serving.tuned(instance, model, left, eula=spec.needs_eula)
    else:  # an offer is made only once the licence is accepted
        made = spec.serving.base(instance, model, eula=spec.needs_eula)
    if (role := record.role or recipe.cloud.role) is None:
        raise CloudError("cloud.role is missing: name the SageMaker execution role in the recipe")
    request = {
        **made,
        "ExecutionRoleArn": f"arn:aws:iam::{account.id}:role/{role}",
    }
    if recipe.cloud.subnets:
        request["VpcConfig"] = {
            "Subnets": recipe.cloud.subnets,
            "SecurityGroupIds": recipe.cloud.security_groups,
        }
    return request


def _configuration(offered: Offer, recipe: Recipe, spec: Spec) -> dict[str, Any]:
    return {"ProductionVariants": [spec.serving.variant(offered.name, offered.instance_type)]}
