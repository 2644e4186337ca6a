"""Everything of this project that still costs money."""

import datetime
from collections.abc import Iterable, Iterator
from typing import Any

from ragtune_cloud.sagemaker import catalog
from ragtune_cloud.sagemaker.account import Account, aws_errors
from ragtune_cloud.sagemaker.names import IDENTITY_TAG, Names
from ragtune_cloud.sagemaker.record import Record
from ragtune_cloud.sagemaker.storage import objects
from ragtune_cloud.target import Item

HOURS_A_MONTH = 730


def running(account: Account, records: Iterable[Record]) -> list[Item]:
    """Jobs and endpoints of ragtune's in the account's region, whoever started them, and storage.

    ``records`` say whose stored objects to count.
    """
    with aws_errors(account.id):
        found = [*_jobs(account), *_endpoints(account)]
        for record in records:
            found += [item for names in record.names.attempts for item in _stored(account, names)]
    return found


def _jobs(account: Account) -> Iterator[Item]:
    client = account.client("sagemaker")
    pages = client.get_paginator("list_training_jobs").paginate(StatusEquals="InProgress")
    for page in pages:
        for job in page["TrainingJobSummaries"]:
            if not _ours(client, job["TrainingJobArn"]):
                continue
            found = client.describe_training_job(TrainingJobName=job["TrainingJobName"])
            machines = found["ResourceConfig"]
            hourly = catalog.usd_per_hour(
                machines["InstanceType"], machines["InstanceCount"], region=account.region
            )
            so_far = _so_far(hourly, found.get("TrainingStartTime"))
            name = job["TrainingJobName"]
            yield Item("training job", name, hourly, so_far, "ragtune cloud stop RUN")


def _endpoints(account: Account) -> Iterator[Item]:
    client = account.client("sagemaker")
    for page in client.get_paginator("list_endpoints").paginate():
        for endpoint in page["Endpoints"]:
            if not _ours(client, endpoint["EndpointArn"]):
                continue
            name = endpoint["EndpointName"]
            config = client.describe_endpoint(EndpointName=name)["EndpointConfigName"]
            variants = client.describe_endpoint_config(EndpointConfigName=config)
            prices = [
                (
                    catalog.usd_per_hour(v["InstanceType"], region=account.region),
                    v["InitialInstanceCount"],
                )
                for v in variants["ProductionVariants"]
            ]
            known = all(price is not None for price, _ in prices)
            hourly = sum((price or 0) * count for price, count in prices) if known else None
            so_far = _so_far(hourly, endpoint["CreationTime"])
            yield Item("endpoint", name, hourly, so_far, "ragtune cloud delete RUN")


def _stored(account: Account, names: Names) -> list[Item]:
    size = sum(entry["Size"] for entry in objects(names, account))
    if not size:
        return []
    monthly = size / 1e9 * float(catalog.load()["storage_usd_per_gb_month"])
    place = f"s3://{names.bucket}/{names.home}"
    remedy = "ragtune cloud delete RUN --data"
    return [Item(f"{size / 1e9:.3f} GB stored", place, monthly / HOURS_A_MONTH, None, remedy)]


def _ours(client: Any, arn: str) -> bool:
    return any(tag["Key"] == IDENTITY_TAG for tag in client.list_tags(ResourceArn=arn)["Tags"])


def _so_far(hourly: float | None, since: datetime.datetime | None) -> float | None:
    if hourly is None or since is None:
        return None
    hours = (datetime.datetime.now(datetime.UTC) - since).total_seconds() / 3600
    return round(hours * hourly, 2)
