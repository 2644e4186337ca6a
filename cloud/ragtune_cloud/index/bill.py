"""What indexes cost that were moved: found by tag, whoever moved them, and by the runs' ledgers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from ragtune.core.errors import CloudError, RagtuneError, RunError
from ragtune.core.progress import Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.retrieval.stores import server
from ragtune_cloud.index import homes, prices, qdrant
from ragtune_cloud.index.knowledge_base import documents, life
from ragtune_cloud.index.s3vectors import bucket
from ragtune_cloud.ledger import Delete, Entry, Ledger
from ragtune_cloud.sagemaker import storage
from ragtune_cloud.sagemaker.account import Account, aws_errors
from ragtune_cloud.sagemaker.names import IDENTITY_TAG
from ragtune_cloud.target import UNCHECKED, Item

REMEDY = "ragtune cloud delete RUN"
KINDS = (qdrant.KIND, bucket.KIND, life.KIND, documents.KIND)


class Indexes:
    """All that was moved from any run; ``account`` opens an account by its region."""

    def __init__(self, account: Callable[[str], Account]) -> None:
        self._account = account

    def deleters(self, watcher: Watcher) -> dict[str, Delete]:
        """What deletes each kind of thing that a home creates."""
        return dict(homes.deleters(self._account, watcher))

    def bill(self, runs: Sequence[RunFolder], region: str | None = None) -> list[Item]:
        """What is there, in every region that a run has used; what cannot be asked is a row too.

        Where no index was ever moved, only the tags are asked, and their refusal is no row: it is
        one of the jobs already.
        """
        entries, regions, items = list[Entry](), {region} if region else set[str](), list[Item]()
        for run in runs:
            try:
                ledger = Ledger(run)
                entries += [entry for entry in ledger.open() if entry.kind in KINDS]
                regions |= {*ledger.regions}
            except RagtuneError:  # a broken ledger is a row of the jobs
                continue
        for place in sorted(regions):
            mine = [entry for entry in entries if entry.region == place]
            items += _checked(f"indexes in {place}", partial(self._in, place, mine))
        for entry in entries:
            if entry.kind == qdrant.KIND:
                items += _checked(str(entry), partial(_collection, entry))
        return items

    def _in(self, region: str, entries: Sequence[Entry]) -> list[Item]:
        account = self._account(region)
        hourly = {entry.name: entry.hourly_usd for entry in entries if entry.kind == bucket.KIND}
        bases = {entry.name for entry in entries if entry.kind == life.KIND}
        buckets, tagged = set(hourly), set[str]()
        try:
            for arn in _tagged(account):
                kind, _, name = arn.rpartition(":")[2].partition("/")
                if kind == "bucket":
                    buckets.add(name)
                elif kind == "knowledge-base":
                    tagged.add(name)
        except CloudError:
            if entries:
                raise
        items: list[Item] = []
        for name in sorted(buckets):
            items += _checked(
                f"vector bucket {name}", partial(_bucket, name, hourly.get(name), account)
            )
        if bases or tagged:
            items += _checked("knowledge bases", partial(_bases, account))
        for entry in entries:
            if entry.kind == documents.KIND:
                items += _checked(str(entry), partial(_documents, entry, account))
        return items


def _checked(what: str, ask: Callable[[], Iterable[Item]]) -> list[Item]:
    try:
        return list(ask())
    except (CloudError, RunError) as error:
        return [Item(UNCHECKED, what, None, None, str(error))]


def _tagged(account: Account) -> Iterator[str]:
    """ARNs of what has the tags of a moved index."""
    pages = account.client("resourcegroupstaggingapi").get_paginator("get_resources")
    filters = [{"Key": IDENTITY_TAG}, {"Key": "ragtune:part", "Values": ["index"]}]
    with aws_errors(account.known_id):
        for page in pages.paginate(TagFilters=filters):
            yield from (row["ResourceARN"] for row in page["ResourceTagMappingList"])


def _bucket(name: str, hourly: float | None, account: Account) -> Iterator[Item]:
    if bucket.there(name, account):
        yield Item("vector bucket", name, hourly, None, REMEDY)


def _bases(account: Account) -> Iterator[Item]:
    """They cost nothing themselves; each question is paid for, and what they keep elsewhere."""
    for name, _ in life.ours(account):
        yield Item("knowledge base", name, 0.0, None, REMEDY)


def _documents(entry: Entry, account: Account) -> Iterator[Item]:
    size, hidden = storage.size(documents.names_of(entry), account)
    if size:
        monthly = size / 1e9 * prices.load()["s3"]["storage_usd_per_gb_month"]
        what = f"{size / 1e9:.3f} GB stored"
        yield Item(what, entry.name, monthly / prices.HOURS_A_MONTH, None, REMEDY)
    if hidden is not None:
        yield Item(UNCHECKED, f"older versions in {entry.name}", None, None, str(hidden))


def _collection(entry: Entry) -> Iterator[Item]:
    if server.exists(server.connect(entry.region), entry.name):
        yield Item("Qdrant collection", f"{entry.region}: {entry.name}", None, None, REMEDY)
