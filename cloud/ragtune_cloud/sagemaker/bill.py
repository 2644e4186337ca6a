"""Everything of this project that still costs money, in one region.

It is looked for by tag, whoever created it, and by every name that a run folder has kept. What
cannot be asked is a row of its own, and hides nothing else.
"""

import datetime
import functools
from collections.abc import Callable, Iterable, Iterator

from ragtune.core.errors import CloudError
from ragtune_cloud.ledger import Entry
from ragtune_cloud.sagemaker import catalog, endpoints, jobs, storage, things
from ragtune_cloud.sagemaker.account import Account, aws_errors
from ragtune_cloud.sagemaker.names import IDENTITY_TAG, Names
from ragtune_cloud.sagemaker.record import Record
from ragtune_cloud.target import SIDES, UNCHECKED, Item

HOURS_A_MONTH = 730
JOB = "training-job"
_Found = dict[tuple[str, str], dict[str, str] | None]
"""Kind and name of a thing, and its tags where they were read."""


def running(
    account: Account, records: Iterable[Record], entries: Iterable[Entry] = ()
) -> list[Item]:
    """Jobs and endpoints of ragtune's in the account's region, whoever started them, and storage.

    ``records`` and ``entries`` are what run folders know of that region.
    """
    records, due = list(records), {e.name: e.delete_by for e in entries if e.delete_by}
    found: _Found = dict.fromkeys(_named(records, entries))
    items: list[Item] = []

    def ask(what: str, question: Callable[[], Iterable[Item]]) -> None:
        try:
            items.extend(question())
        except CloudError as error:
            items.append(unchecked(what, error))

    def by_tag() -> Iterable[Item]:
        found.update(_tagged(account))
        return ()

    ask(f"what has our tags in {account.region}", by_tag)
    for (kind, name), tags in found.items():
        if kind == JOB:
            ask(f"training job {name}", functools.partial(_job, account, name))
        elif kind == things.ENDPOINT:
            question = functools.partial(_endpoint, account, name, tags, due.get(name))
            ask(f"endpoint {name}", question)
    places = {(n.bucket, n.home): n for record in records for n in record.names.attempts}
    for names in places.values():
        place = f"s3://{names.bucket}/{names.home}"
        ask(place, functools.partial(_stored, account, names, place))
    return items


def unchecked(what: str, error: CloudError) -> Item:
    """The row of what could not be asked: it may cost money all the same."""
    return Item(UNCHECKED, what, None, None, str(error))


def _named(records: Iterable[Record], entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    for record in records:
        for names in record.names.attempts:
            yield JOB, names.job
            yield from ((things.ENDPOINT, f"{names.job}-{side}") for side in SIDES)
    yield from ((entry.kind, entry.name) for entry in entries)


def _tagged(account: Account) -> _Found:
    """SageMaker's things with our tag; those of other services are their targets' to tell."""
    pages = account.client("resourcegroupstaggingapi").get_paginator("get_resources")
    found: _Found = {}
    with aws_errors(account.known_id):
        for page in pages.paginate(TagFilters=[{"Key": IDENTITY_TAG}]):
            for row in page["ResourceTagMappingList"]:
                _, _, service, _, _, rest = row["ResourceARN"].split(":", 5)
                kind, _, name = rest.partition("/")
                if service == "sagemaker":
                    found[kind, name] = {tag["Key"]: tag["Value"] for tag in row["Tags"]}
    return found


def _job(account: Account, name: str) -> Iterator[Item]:
    found = jobs.describe(account, name)
    if found is not None and found["TrainingJobStatus"] in jobs.LIVE:
        machines = found["ResourceConfig"]
        kind, count = machines["InstanceType"], machines["InstanceCount"]
        hourly = catalog.usd_per_hour(kind, count, region=account.region)
        so_far = _so_far(hourly, found.get("TrainingStartTime"))
        yield Item("training job", name, hourly, so_far, "ragtune cloud stop RUN")


def _endpoint(
    account: Account, name: str, tags: dict[str, str] | None, due: str | None
) -> Iterator[Item]:
    found = things.describe(account, things.ENDPOINT, name)
    if found is None or (tags is None and not _ours(account, found)):
        return
    config = things.describe(account, things.CONFIG, found["EndpointConfigName"])
    hourly = None if config is None else endpoints.usd_per_hour(config, account.region)
    by = due or (tags or {}).get(endpoints.DELETE_BY_TAG)
    late = by is not None and datetime.datetime.fromisoformat(by) < _now()
    remedy = f"{f'overdue since {by}: ' if late else ''}ragtune cloud delete RUN"
    yield Item("endpoint", name, hourly, _so_far(hourly, found["CreationTime"]), remedy)


def _ours(account: Account, found: dict[str, object]) -> bool:
    """Whether an endpoint known by its name has our tag; so it is believed where it is not read."""
    try:
        return IDENTITY_TAG in things.tags(account, things.ENDPOINT, found)
    except CloudError:
        return True


def _stored(account: Account, names: Names, place: str) -> Iterator[Item]:
    size, hidden = storage.size(names, account)
    if size:
        monthly = size / 1e9 * float(catalog.load()["storage_usd_per_gb_month"])
        remedy = "ragtune cloud delete RUN --data"
        yield Item(f"{size / 1e9:.3f} GB stored", place, monthly / HOURS_A_MONTH, None, remedy)
    if hidden is not None:
        yield unchecked(f"older versions in {place}", hidden)


def _so_far(hourly: float | None, since: datetime.datetime | None) -> float | None:
    if hourly is None or since is None:
        return None
    return round((_now() - since).total_seconds() / 3600 * hourly, 2)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
