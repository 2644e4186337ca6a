"""Everything of this project that still costs money, and the removal of what it stored."""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ragtune.core.progress import Say
from ragtune_cloud import catalog
from ragtune_cloud.account import Account, aws_errors
from ragtune_cloud.errors import CloudError
from ragtune_cloud.jobs import Record
from ragtune_cloud.names import ACCOUNT, Names

TAG = "ragtune:identity"
HOURS_A_MONTH = 730


@dataclass(frozen=True)
class Item:
    """One thing that costs money: what it is, US dollars an hour and so far (None: unknown)."""

    kind: str
    name: str
    usd_per_hour: float | None
    usd_so_far: float | None
    remedy: str

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)

    def __str__(self) -> str:
        hourly = "?" if self.usd_per_hour is None else f"{self.usd_per_hour:.4f}"
        spent = "" if self.usd_so_far is None else f", ${self.usd_so_far:.2f} so far"
        return f"{self.kind} {self.name}: ${hourly} an hour{spent}; {self.remedy}"


def running(account: Account, records: Iterable[Record]) -> list[Item]:
    """Jobs and endpoints of ragtune's in the account's region, whoever started them, and storage.

    ``records`` say whose stored objects to count.
    """
    with aws_errors(account.id):
        found = [*_jobs(account), *_endpoints(account)]
        for record in records:
            found += [item for names in record.names.attempts for item in _stored(account, names)]
    return found


def remove_stored(names: Names, account: Account, say: Say) -> None:
    """Delete every object of a job: its data, the evidence, the model that it left.

    Raises CloudError where AWS refuses.
    """
    bucket = names.bucket.replace(ACCOUNT, account.id)
    s3 = account.client("s3")
    count = 0
    with aws_errors(account.id):
        for entry in _objects(account, bucket, f"{names.home}/"):
            s3.delete_object(Bucket=bucket, Key=entry["Key"])
            count += 1
        left = [entry["Key"] for entry in _objects(account, bucket, f"{names.home}/")]
    if left:
        raise CloudError(f"s3://{names.bucket}/{left[0]}: is still there; delete it by hand")
    say(f"s3://{names.bucket}/{names.home}: {count} objects deleted")


def _jobs(account: Account) -> Iterator[Item]:
    client = account.client("sagemaker")
    pages = client.get_paginator("list_training_jobs").paginate(StatusEquals="InProgress")
    for page in pages:
        for job in page["TrainingJobSummaries"]:
            if not _ours(client, job["TrainingJobArn"]):
                continue
            found = client.describe_training_job(TrainingJobName=job["TrainingJobName"])
            machines = found["ResourceConfig"]
            hourly = catalog.usd_per_hour(machines["InstanceType"], machines["InstanceCount"])
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
                (catalog.usd_per_hour(v["InstanceType"]), v["InitialInstanceCount"])
                for v in variants["ProductionVariants"]
            ]
            known = all(price is not None for price, _ in prices)
            hourly = sum((price or 0) * count for price, count in prices) if known else None
            so_far = _so_far(hourly, endpoint["CreationTime"])
            yield Item("endpoint", name, hourly, so_far, "ragtune cloud delete RUN")


def _stored(account: Account, names: Names) -> list[Item]:
    bucket = names.bucket.replace(ACCOUNT, account.id)
    size = sum(e["Size"] for e in _objects(account, bucket, f"{names.home}/"))
    if not size:
        return []
    monthly = size / 1e9 * float(catalog.load()["storage_usd_per_gb_month"])
    place = f"s3://{names.bucket}/{names.home}"
    remedy = "ragtune cloud delete RUN --data"
    return [Item(f"{size / 1e9:.3f} GB stored", place, monthly / HOURS_A_MONTH, None, remedy)]


def _objects(account: Account, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    pages = account.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", ())


def _ours(client: Any, arn: str) -> bool:
    return any(tag["Key"] == TAG for tag in client.list_tags(ResourceArn=arn)["Tags"])


def _so_far(hourly: float | None, since: datetime.datetime | None) -> float | None:
    if hourly is None or since is None:
        return None
    hours = (datetime.datetime.now(datetime.UTC) - since).total_seconds() / 3600
    return round(hours * hourly, 2)
