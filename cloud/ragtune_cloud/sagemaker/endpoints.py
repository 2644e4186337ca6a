"""Endpoints of a promoted model: never made by default, found by name, deleted as a whole.

A side is ``base`` (JumpStart's own weights) or ``tuned`` (the job's). Its model, endpoint
configuration and endpoint carry one name, so that the same command finds what a killed one left.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import sleep
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.progress import Watcher
from ragtune.recipe.schema import Recipe
from ragtune_cloud.ledger import Entry, Ledger
from ragtune_cloud.sagemaker import catalog, deletion, jobs, remedies, schedules, things
from ragtune_cloud.sagemaker.account import Account, aws_errors
from ragtune_cloud.sagemaker.names import ACCOUNT, IDENTITY_TAG, masked
from ragtune_cloud.sagemaker.record import Record
from ragtune_cloud.sagemaker.spec import Spec
from ragtune_cloud.target import SIDES, Side

POLL = 15.0
"""Seconds between two looks at an endpoint that is being made."""
PATIENCE = 3600.0
"""Seconds after which an endpoint that is still being made is given up."""
DELETE_BY_TAG = "ragtune:delete-by"
"""When an endpoint's life is over, ISO 8601 in UTC; the bill marks what is overdue."""
GOOD = ("Creating", "Updating", "SystemUpdating", "InService")
"""States from which an endpoint comes to be in service."""


@dataclass(frozen=True)
class Offer:
    """What a side's endpoint would be, or is where ``there``: its name, instance, price."""

    name: str
    side: Side
    instance_type: str
    usd_per_hour: float | None
    there: bool = False

    def __str__(self) -> str:
        what = f"{self.name}{', which is there already' if self.there else ''}"
        if self.usd_per_hour is None:
            return f"{what}: {self.instance_type}, no price known"
        return (
            f"{what}: {self.instance_type}, ${self.usd_per_hour:.2f} an hour, "
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


def as_found(
    offered: Offer,
    identity: str,
    account: Account,
    watcher: Watcher,
    prices: Mapping[str, float] | None = None,
) -> Offer:
    """The offer as it will be billed: an endpoint that is there runs on its own instance.

    ``prices`` are the user's own.

    Raises CloudError where anything of that name was not made by the recipe of that identity.
    """
    config = None
    for kind in (things.MODEL, things.CONFIG, things.ENDPOINT):
        found = things.describe(account, kind, offered.name)
        if found is None:
            continue
        things.refuse_foreign(account, kind, offered.name, found, identity)
        if kind == things.CONFIG:
            config = found
        if kind == things.ENDPOINT and found["EndpointStatus"] in GOOD and config is not None:
            (variant,) = config["ProductionVariants"]
            hourly = usd_per_hour(config, account.region, prices)
            return replace(
                offered, instance_type=variant["InstanceType"], usd_per_hour=hourly, there=True
            )
    if config is not None:
        hourly = usd_per_hour(config, account.region, prices)
        price = "no price known" if hourly is None else f"${hourly:.2f} an hour"
        (variant,) = config["ProductionVariants"]
        watcher.say(
            f"{offered.name}: a configuration was left for {variant['InstanceType']}, {price}; it "
            "is replaced"
        )
    return offered


def usd_per_hour(
    config: dict[str, Any], region: str, prices: Mapping[str, float] | None = None
) -> float | None:
    """The price of an endpoint configuration that was described; None where one is unknown.

    ``prices`` are the user's own, US dollars an hour by instance type.
    """
    found = [
        catalog.usd_per_hour(
            v["InstanceType"], v["InitialInstanceCount"], region=region, prices=prices
        )
        for v in config["ProductionVariants"]
    ]
    known = [price for price in found if price is not None]
    return sum(known) if len(known) == len(found) else None


def prepare(
    offered: Offer, record: Record, recipe: Recipe, spec: Spec, account: Account
) -> dict[str, dict[str, Any]]:
    """The requests that make a side's endpoint, by kind; nothing is created.

    Raises CloudError where the job was not completed, or the model has no image for the instance.
    """
    return {
        things.MODEL: _model(offered, record, recipe, spec, account),
        things.CONFIG: _configuration(offered, recipe, spec),
        things.ENDPOINT: {"EndpointConfigName": offered.name},
    }


def create(
    offered: Offer,
    requests: dict[str, dict[str, Any]],
    recipe: Recipe,
    ledger: Ledger,
    *,
    account: Account,
    watcher: Watcher,
    delete_by: datetime.datetime | None = None,
) -> None:
    """Make the endpoint, each part noted before; one that is there is kept, half of one replaced.

    With ``delete_by`` it carries that time as a tag, and where ``cloud.scheduler_role`` is named
    AWS itself deletes it then. Raises CloudError where AWS refuses.
    """
    name, region = offered.name, account.region
    tags = {IDENTITY_TAG: recipe.identity, **recipe.cloud.tags}
    if delete_by is not None:
        tags[DELETE_BY_TAG] = delete_by.astimezone(datetime.UTC).isoformat(timespec="seconds")
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    _schedule(name, recipe, ledger, account, delete_by)
    if not offered.there:
        _clear(name, account, watcher)
    for kind, request in requests.items():
        hourly = offered.usd_per_hour if kind == things.ENDPOINT else None
        ledger.add(kind, name, region, hourly, delete_by)
        if offered.there:
            continue
        with aws_errors(account.id):
            things.call(account, "create", kind, name, **request, Tags=listed)
        watcher.say(f"{name}: {kind} made")
    if offered.there:
        watcher.say(f"{name}: is there already")
        _tag_again(name, listed, account)


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
            raise CloudError(f"{name}: still {status} after an hour")
        sleep(POLL)
        waited += POLL


def note_left(record: Record, ledger: Ledger, account: Account, watcher: Watcher) -> None:
    """Enter in the ledger what is there of a job's endpoints, whoever deployed them.

    What has the name and not our tag is said and left. Raises CloudError where AWS refuses.
    """
    noted = {entry.key for entry in ledger.open()}
    for name in (endpoint_name(record, side) for side in SIDES):
        for kind in reversed(things.FIELDS):
            if (kind, name, account.region) in noted:
                continue
            found = things.describe(account, kind, name)
            if found is None:
                continue
            try:
                things.refuse_foreign(account, kind, name, found)
            except CloudError as error:
                watcher.say(str(error))
            else:
                ledger.add(kind, name, account.region)


def _schedule(
    name: str,
    recipe: Recipe,
    ledger: Ledger,
    account: Account,
    delete_by: datetime.datetime | None,
) -> None:
    """The deletion by AWS itself: made, or taken back where the endpoint is to stay."""
    noted = any(e.key == (schedules.KIND, name, account.region) for e in ledger.open())
    role = recipe.cloud.scheduler_role
    if delete_by is not None and role is not None:
        ledger.add(schedules.KIND, name, account.region, None, delete_by)
        schedules.create(account, name, role, delete_by)
    elif noted or role is not None:
        schedules.delete(account, name)
        ledger.remove(schedules.KIND, name, account.region)


def _clear(name: str, account: Account, watcher: Watcher) -> None:
    """Remove what a killed command left of an endpoint that is not in service."""
    remove = deletion.deleters(lambda region: account, watcher)
    for kind in things.FIELDS:
        if things.describe(account, kind, name) is not None:
            remove[kind](Entry(kind, name, account.region))
            watcher.say(f"{name}: {kind} that was left is removed")


def _tag_again(name: str, listed: list[dict[str, str]], account: Account) -> None:
    found = things.describe(account, things.ENDPOINT, name)
    if found is not None:
        arn = found["EndpointArn"]
        with aws_errors(account.id):
            account.client("sagemaker").add_tags(ResourceArn=arn, Tags=listed)


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
        raise CloudError(
            "cloud.role is missing: name the SageMaker execution role in the recipe, or with "
            "--set cloud.role=NAME where a command takes it"
        )
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
