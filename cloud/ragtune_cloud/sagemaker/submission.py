"""Submitting a plan once: what is there already is met again, whatever broke off before.

The job's name follows from the recipe and the data, so whoever submits the same again, or after a
kill at any point, meets the job that is there. A job of the same recipe and data under another name
is found by its tags.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.progress import Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune_cloud.gate import as_tuned
from ragtune_cloud.sagemaker import remedies, storage
from ragtune_cloud.sagemaker.account import Account, Refusal, aws_errors, code_of
from ragtune_cloud.sagemaker.draft import JumpStartDraft
from ragtune_cloud.sagemaker.jobs import DEAD, describe
from ragtune_cloud.sagemaker.names import IDENTITY_TAG, Names, masked, names
from ragtune_cloud.sagemaker.record import (
    Record,
    as_found,
    note,
    record_of,
    records,
    write_record,
)
from ragtune_cloud.sagemaker.request import filled, hash_tags
from ragtune_cloud.target import Plan


def find_attempt(recipe: Recipe, run: RunFolder, account: Account, *, again: bool) -> int:
    """Which attempt a submission is: the live or finished one, else the first that is free.

    Raises CloudError where the last one failed or was stopped and ``again`` was not said.
    """
    attempt, found = 1, describe(account, names(recipe, run).job)
    while found is not None and found["TrainingJobStatus"] in DEAD:
        following = describe(account, names(recipe, run, attempt + 1).job)
        if following is None and not again:
            raise _ended(found, account)
        attempt, found = attempt + 1, following
    return attempt


def submit(planned: Plan, account: Account, watcher: Watcher) -> Record:
    """Upload the data and the evidence, create the job, and note it; or attach to it.

    Raises CloudError where the preflight failed, the data changed meanwhile, or AWS refuses.
    """
    draft, promotion = planned.draft, planned.promotion
    assert isinstance(draft, JumpStartDraft)
    version = draft.spec.version if draft.spec else None
    record = record_of(promotion.recipe, draft.names, version)
    found = describe(account, record.job) or _same(planned, account, watcher)
    if found is None:
        planned.refuse_failures()
        if draft.request is None:
            raise CloudError("there is no request to send; `ragtune cloud resolve RUN` first")
        note(promotion.run, record)
        with aws_errors(account.id):
            _upload(planned, draft.names, account, watcher)
        if not _create(draft.request, account, watcher):
            found = describe(account, record.job)
    if found is not None:
        record = as_found(replace(record, job=found["TrainingJobName"]), found, account)
        watcher.say(f"{record.job}: is there already; attached, nothing was paid for again")
    write_record(promotion.run, record)
    return record


def attach(recipe: Recipe, run: RunFolder, account: Account) -> Record:
    """Find the run's newest job in the account and note it.

    Raises CloudError where there is none.
    """
    record, attempt, tuned = None, 1, as_tuned(recipe, run)
    while described := describe(account, (job := names(recipe, run, attempt)).job):
        record, attempt = as_found(record_of(tuned, job), described, account), attempt + 1
    if record is None:
        raise CloudError(f"{job.job}: no such job in this account and region; submit it first")
    write_record(run, record)
    return record


def refuse_elsewhere(
    recipe: Recipe, run: RunFolder, open_account: Callable[[str], Account]
) -> None:
    """Raise CloudError where the run's job is alive or completed in another region."""
    named = names(recipe, run)
    for record in records(run):
        if record.region == recipe.cloud.region or record.names.stem != named.stem:
            continue
        found = describe(open_account(record.region), record.job)
        if found is not None and found["TrainingJobStatus"] not in DEAD:
            raise CloudError(
                f"{record.job}: is {found['TrainingJobStatus']} in {record.region} already; "
                f"--set cloud.region={record.region} attaches to it, --again pays for another in "
                f"{recipe.cloud.region}"
            )


def _same(planned: Plan, account: Account, watcher: Watcher) -> dict[str, Any] | None:
    """A job of the same recipe and data under another name, unless it came to nothing."""
    promotion = planned.promotion
    if promotion.recipe.tune.search:  # made again it may have chosen otherwise: another job
        return None
    wanted = {IDENTITY_TAG: promotion.recipe.identity, **hash_tags(promotion.hashes)}
    filters = [{"Key": key, "Values": [value]} for key, value in wanted.items()]
    pages = account.client("resourcegroupstaggingapi").get_paginator("get_resources")
    try:
        with aws_errors(account.known_id):
            listed = [
                row["ResourceARN"].rpartition("/")[2]
                for page in pages.paginate(
                    TagFilters=filters, ResourceTypeFilters=["sagemaker:training-job"]
                )
                for row in page["ResourceTagMappingList"]
            ]
    except Refusal as error:
        watcher.say(f"whether the recipe has a job of another name is not known: {error}")
        return None
    found = (describe(account, job) for job in listed)
    return next((job for job in found if job and job["TrainingJobStatus"] not in DEAD), None)


def _ended(found: dict[str, Any], account: Account) -> CloudError:
    """Why the last attempt came to nothing, and how to pay for another."""
    ended, stage = found["TrainingJobStatus"], found.get("SecondaryStatus")
    why = found.get("FailureReason") or (stage if stage != ended else None)
    reason = masked(why or "stopped by request", account.id)
    return CloudError(
        f"{found['TrainingJobName']}: {ended}: {reason}; {remedies.remedy(reason)}; "
        "--again pays for another attempt"
    )


def _upload(planned: Plan, names: Names, account: Account, watcher: Watcher) -> None:
    promotion = planned.promotion
    if found := storage.foreign_keys(names, account):
        raise CloudError(f"{names.training} is not empty: {found[0]}; remove it first")
    for path, key in names.keys.items():
        content = (promotion.run.path / path).read_bytes()
        expected = promotion.hashes.get(Path(path).name)
        if expected not in {None, hashlib.sha256(content).hexdigest()}:
            raise CloudError(f"{path}: changed while it was being submitted; plan again")
        kms = promotion.recipe.cloud.kms_key
        new = storage.upload(content, key, names, account, kms_key=kms)
        watcher.say(
            f"{path}: uploaded, {len(content)} bytes" if new else f"{path}: is there already"
        )


def _create(request: dict[str, Any], account: Account, watcher: Watcher) -> bool:
    """Create the job; false where it is there already."""
    from botocore.exceptions import ClientError

    job = request["TrainingJobName"]
    with aws_errors(account.id):
        try:
            account.client("sagemaker").create_training_job(**filled(request, account.id))
        except ClientError as error:
            if code_of(error) != "ResourceInUse":
                raise
            return False
    watcher.say(f"{job}: submitted")
    return True
