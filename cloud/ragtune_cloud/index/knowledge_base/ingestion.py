"""A Knowledge Base's reading of its objects: started, waited for, stopped."""

import contextlib
from collections.abc import Iterator, Mapping
from time import sleep
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.progress import Watcher
from ragtune_cloud.sagemaker.account import Account, aws_errors
from ragtune_cloud.sagemaker.names import masked

LOOK = 5.0
"""Seconds between two looks at something that is being made, filled or deleted."""
LOOKS = 720
"""Looks, an hour of them, before something that does not change is given up on."""
WORKING = ("STARTING", "IN_PROGRESS", "STOPPING")
STATISTICS = {
    "scanned": "numberOfDocumentsScanned",
    "new": "numberOfNewDocumentsIndexed",
    "modified": "numberOfModifiedDocumentsIndexed",
    "deleted": "numberOfDocumentsDeleted",
    "failed": "numberOfDocumentsFailed",
    "skipped": "numberOfDocumentsSkipped",
}
"""What an ingestion counts, by the words of our own manifest."""


def ingest(base: str, source: str, account: Account, watcher: Watcher) -> dict[str, Any]:
    """Let the service read its objects, or wait for a reading that is under way; its statistics.

    ``reasons`` are the service's own words on what it could not read. Raises CloudError where the
    ingestion fails or could read nothing at all.
    """
    client, where = (
        account.client("bedrock-agent"),
        {"knowledgeBaseId": base, "dataSourceId": source},
    )
    with aws_errors(account.id), watcher.progress("ingest") as advance:
        job = next(_ingesting(where, account), None)
        if job is None:
            job = client.start_ingestion_job(**where)["ingestionJob"]["ingestionJobId"]
        for _ in range(LOOKS):
            now = client.get_ingestion_job(**where, ingestionJobId=job)["ingestionJob"]
            counted = now.get("statistics", {})
            done = sum(counted.get(STATISTICS[name], 0) for name in ("new", "modified", "failed"))
            advance(done, max(done, counted.get(STATISTICS["scanned"], 0)))
            if now["status"] not in WORKING:
                break
            sleep(LOOK)
    said = [
        masked(" ".join(reason.split()), account.id) for reason in now.get("failureReasons", ())
    ]
    found = {name: int(counted.get(theirs, 0)) for name, theirs in STATISTICS.items()}
    if now["status"] != "COMPLETE":
        raise CloudError(
            f"ingestion {job}: {now['status']}: {'; '.join(said[:3]) or 'no reason given'}; the "
            "role may lack a permission of the plan's policy"
        )
    if found["failed"] and found["failed"] == found["scanned"]:
        raise CloudError(f"ingestion {job}: nothing could be read: {'; '.join(said[:3])}")
    took = (now["updatedAt"] - now["startedAt"]).total_seconds()
    return {**found, "seconds": round(took, 1), "reasons": said}


def stop(where: Mapping[str, str], account: Account) -> None:
    """Stop what is being read, and wait until it is: a source in use is not deleted."""
    client = account.client("bedrock-agent")
    for job in _ingesting(where, account):
        with contextlib.suppress(client.exceptions.ConflictException):  # it has just ended
            client.stop_ingestion_job(**where, ingestionJobId=job)
        for _ in range(LOOKS):
            now = client.get_ingestion_job(**where, ingestionJobId=job)["ingestionJob"]
            if now["status"] not in WORKING:
                break
            sleep(LOOK)


def _ingesting(where: Mapping[str, str], account: Account) -> Iterator[str]:
    client = account.client("bedrock-agent")
    pages = client.get_paginator("list_ingestion_jobs").paginate(**where)
    for page in pages:
        for job in page["ingestionJobSummaries"]:
            if job["status"] in WORKING:
                yield job["ingestionJobId"]
