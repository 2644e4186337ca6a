"""The life of a Knowledge Base: made, filled from S3, deleted; each step may be broken off."""

import contextlib
from collections.abc import Iterator, Mapping
from time import sleep
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.progress import Watcher
from ragtune_cloud.index.base import foreign
from ragtune_cloud.index.knowledge_base import ingestion
from ragtune_cloud.index.knowledge_base.settings import Settings
from ragtune_cloud.ledger import Entry, Ledger
from ragtune_cloud.sagemaker.account import Account, aws_errors, code_of
from ragtune_cloud.sagemaker.names import IDENTITY_TAG, masked

KIND = "knowledge-base"
MOVING = ("CREATING", "UPDATING", "DELETING")


def find(name: str, account: Account, identity: str | None = None) -> str | None:
    """The id of the Knowledge Base of that name; None where there is none.

    Raises CloudError where it is not of the identity, or of none, where that is None.
    """
    client = account.client("bedrock-agent")
    with aws_errors(account.id):
        pages = client.get_paginator("list_knowledge_bases").paginate()
        for page in pages:
            for base in page["knowledgeBaseSummaries"]:
                if base["name"] == name:
                    held = _identity(base["knowledgeBaseId"], account)
                    if held is None or identity not in (None, held):
                        raise foreign(f"Knowledge Base {name}")
                    return str(base["knowledgeBaseId"])
    return None


def require(name: str, account: Account, identity: str) -> str:
    """The id of the Knowledge Base of that name.

    Raises CloudError where there is none, or it is another's.
    """
    found = find(name, account, identity)
    if found is None:
        raise CloudError(
            f"Knowledge Base {name}: not there; `ragtune promote RUN --part index --home "
            "knowledge-base --submit` makes it"
        )
    return found


def ensure_base(settings: Settings, account: Account, ledger: Ledger, watcher: Watcher) -> str:
    """Make the Knowledge Base, unless it is there, and wait until it is active; its id.

    Raises CloudError where it is another's, was made with another embedder, or fails.
    """
    identity = settings.recipe.identity
    base = find(settings.name, account, identity)
    ledger.add(KIND, settings.name, account.region)
    client = account.client("bedrock-agent")
    if base is None:
        with aws_errors(account.id):
            made = client.create_knowledge_base(**settings.base_request)
        base = str(made["knowledgeBase"]["knowledgeBaseId"])
        watcher.say(f"Knowledge Base {settings.name}: being created")
    now = _settled(lambda: _base(base, account))
    if now is None or now["status"] != "ACTIVE":
        raise CloudError(f"Knowledge Base {settings.name}: {_ended(now, account)}")
    held = now["knowledgeBaseConfiguration"]["vectorKnowledgeBaseConfiguration"]
    if held["embeddingModelArn"] != settings.model:
        model = held["embeddingModelArn"].rpartition("/")[2]
        raise CloudError(
            f"Knowledge Base {settings.name}: was made with {model}; `ragtune cloud delete RUN` "
            f"first, or --embedder {model}"
        )
    return base


def ensure_source(settings: Settings, base: str, account: Account, watcher: Watcher) -> str:
    """Make the data source, unless it is there; its id.

    Raises CloudError where there is one that chunks otherwise, or it fails.
    """
    client = account.client("bedrock-agent")
    request = {**settings.source_request, "knowledgeBaseId": base}
    with aws_errors(account.id):
        there = {s["name"]: s["dataSourceId"] for s in _sources(base, account)}
        if other := sorted(set(there) - {settings.source}):
            raise CloudError(
                f"data source {other[0]}: is there and chunks otherwise; "
                "`ragtune cloud delete RUN` first, or the same --chunks as then"
            )
        source = there.get(settings.source)
        if source is None:
            made = client.create_data_source(**request)
            source = made["dataSource"]["dataSourceId"]
    now = _settled(lambda: _source(base, source, account))
    if now is None or now["status"] != "AVAILABLE":
        raise CloudError(f"data source {settings.source}: {_ended(now, account)}")
    return str(source)


def delete(entry: Entry, account: Account) -> None:
    """Delete a Knowledge Base with its data sources, and wait until it is gone; gone is no error.

    Raises CloudError where it is not ragtune's, or cannot be deleted.
    """
    base = find(entry.name, account)
    if base is None:
        return
    client = account.client("bedrock-agent")
    if _settled(lambda: _base(base, account)) is None:
        return
    with aws_errors(account.id):
        for source in _sources(base, account):
            where = {"knowledgeBaseId": base, "dataSourceId": source["dataSourceId"]}
            ingestion.stop(where, account)
            _settled(lambda where=where: _source(base, where["dataSourceId"], account))
            with _gone():
                client.delete_data_source(**where)
            now = _settled(lambda where=where: _source(base, where["dataSourceId"], account))
            if now is not None:
                raise CloudError(f"data source {source['name']}: {_ended(now, account)}")
        with _gone():
            client.delete_knowledge_base(knowledgeBaseId=base)
    now = _settled(lambda: _base(base, account))
    if now is not None:
        raise CloudError(f"Knowledge Base {entry.name}: {_ended(now, account)}")


def ours(account: Account) -> Iterator[tuple[str, Any]]:
    """Name and last change of each Knowledge Base in the region that ragtune made, whoever did."""
    client = account.client("bedrock-agent")
    for page in client.get_paginator("list_knowledge_bases").paginate():
        for base in page["knowledgeBaseSummaries"]:
            if _identity(base["knowledgeBaseId"], account) is not None:
                yield base["name"], base["updatedAt"]


def _sources(base: str, account: Account) -> list[dict[str, Any]]:
    client = account.client("bedrock-agent")
    pages = client.get_paginator("list_data_sources").paginate(knowledgeBaseId=base)
    return [source for page in pages for source in page["dataSourceSummaries"]]


def _settled(look: Any) -> dict[str, Any] | None:
    """What a look finds once it is not on its way to another state; None where it is gone."""
    for _ in range(ingestion.LOOKS):
        now: dict[str, Any] | None = look()
        if now is None or now["status"] not in MOVING:
            return now
        sleep(ingestion.LOOK)
    return now


def _base(base: str, account: Account) -> dict[str, Any] | None:
    with aws_errors(account.id), _gone():
        found = account.client("bedrock-agent").get_knowledge_base(knowledgeBaseId=base)
        return dict(found["knowledgeBase"])
    return None


def _source(base: str, source: str, account: Account) -> dict[str, Any] | None:
    client = account.client("bedrock-agent")
    with aws_errors(account.id), _gone():
        found = client.get_data_source(knowledgeBaseId=base, dataSourceId=source)
        return dict(found["dataSource"])
    return None


def _identity(base: str, account: Account) -> str | None:
    """The identity that a Knowledge Base's tag names; None where it has none."""
    client = account.client("bedrock-agent")
    arn = f"arn:aws:bedrock:{account.region}:{account.id}:knowledge-base/{base}"
    with _gone():
        value = client.list_tags_for_resource(resourceArn=arn)["tags"].get(IDENTITY_TAG)
        return None if value is None else str(value)
    return None


@contextlib.contextmanager
def _gone() -> Iterator[None]:
    """Let pass that a thing is not there any more."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise


def _ended(now: Mapping[str, Any] | None, account: Account) -> str:
    """How something came to an end that is no success, in a line."""
    if now is None:
        return "was deleted meanwhile"
    why = "; ".join(now.get("failureReasons", ())) or "no reason given"
    return f"{now['status']}: {masked(' '.join(why.split()), account.id)}"
