"""Import jobs: found by name, submitted once, watched to their end."""

import datetime
from dataclasses import replace
from time import sleep
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.progress import Watcher
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.bedrock import catalog, storage
from ragtune_cloud.bedrock.draft import ImportDraft
from ragtune_cloud.bedrock.inventory import describe, imported_model, is_ours
from ragtune_cloud.bedrock.names import ImportNames
from ragtune_cloud.bedrock.record import ImportRecord, write_record
from ragtune_cloud.bedrock.source import LocalFiles
from ragtune_cloud.ledger import Ledger
from ragtune_cloud.sagemaker.account import Account, Unreachable, aws_errors, code_of
from ragtune_cloud.sagemaker.names import ACCOUNT, masked
from ragtune_cloud.sagemaker.request import filled
from ragtune_cloud.target import Plan, Status

DATA, JOB, MODEL = "import-data", "import-job", "imported-model"
"""Kinds of ledger entries, in the order in which they are created."""
POLL = 20.0
"""Seconds between two looks at an import."""
HOURS_A_MONTH = 730
TAKEN = ("ConflictException", "ResourceInUse", "ResourceInUseException")


def find_attempt(names: ImportNames, account: Account, *, again: bool) -> int:
    """Which attempt a submission is: the live or whole one, else the first that is free.

    An import whose model was deleted since is over. Raises CloudError where the last one failed
    and ``again`` was not said.
    """
    attempt = 1
    while (found := describe(account, names.attempt(attempt).job)) is not None:
        following = describe(account, names.attempt(attempt + 1).job)
        if following is None:
            if found["status"] == "InProgress":
                return attempt
            if found["status"] == "Completed" and imported_model(account, found["jobName"]):
                return attempt
            if found["status"] == "Failed" and not again:
                raise CloudError(
                    f"{found['jobName']}: {_reason(found, account)}; --again tries once more"
                )
        attempt += 1
    return attempt


def submit(plan: Plan, account: Account, watcher: Watcher) -> ImportRecord:
    """Upload the model where it is here, create the job and note it; or attach to it.

    Everything is in the ledger before it is made. Raises CloudError where the preflight failed,
    the name is somebody else's, or AWS refuses.
    """
    draft, promotion = plan.draft, plan.promotion
    assert isinstance(draft, ImportDraft)
    names, recipe, run = draft.names, promotion.recipe, promotion.run
    ledger = Ledger(run)
    found = describe(account, names.job)
    uploaded = names.uri if isinstance(draft.model.files, LocalFiles) else ""
    record = ImportRecord(
        job=names.job,
        region=recipe.cloud.region,
        source=draft.model.files.place,
        uploaded=uploaded,
        trained_there=draft.model.files.place != str(run.merged),
        context=draft.model.context or 0,
    )
    if found is None:
        plan.refuse_failures()
        if draft.request is None:
            raise CloudError("there is no request to send; see the plan's checks")
        if isinstance(draft.model.files, LocalFiles):
            ledger.add(DATA, uploaded, account.region)
            kms = recipe.cloud.kms_key
            storage.upload(draft.model.files, uploaded, account, watcher, kms_key=kms)
        ledger.add(JOB, names.job, account.region)
        ledger.add(MODEL, names.job, account.region)
        write_record(run, record)
        if not _create(draft.request, account, ledger, watcher):
            found = describe(account, names.job)
    if found is not None:
        if not is_ours(account, found["jobArn"], recipe.identity):
            raise CloudError(
                f"{names.job}: an import job of that name is there without this recipe's tag; it "
                "is left alone: give the recipe another name"
            )
        if found["status"] != "Failed":
            watcher.say(f"{names.job}: is there already; attached, nothing was made again")
            ledger.add(MODEL, names.job, account.region)
    write_record(run, record)
    return record


def status(record: ImportRecord, account: Account) -> Status:
    """How the import is doing; raises CloudError where it is not there."""
    found = describe(account, record.job)
    if found is None:
        raise CloudError(f"{record.job}: no such import in this account and region")
    ended = found.get("endTime") or datetime.datetime.now(datetime.UTC)
    arn = found.get("importedModelArn")
    return Status(
        job=record.job,
        status=found["status"],
        stage="importing" if found["status"] == "InProgress" else "ended",
        seconds=int((ended - found["creationTime"]).total_seconds()),
        usd=0.0,
        reason=_reason(found, account) if found["status"] == "Failed" else None,
        artefact=None if arn is None else masked(arn, account.id),
    )


def watch(run: RunFolder, record: ImportRecord, account: Account, watcher: Watcher) -> Status:
    """Look until the import has ended, and note the model and its units.

    A lost connection is waited for; an interruption leaves the import running. Raises CloudError
    where it failed or is not there.
    """
    seen = ""
    try:
        while True:
            try:
                now = status(record, account)
            except Unreachable as error:
                watcher.say(f"{error}; looking again")
            else:
                if now.status != seen:
                    watcher.say(f"{record.job}: {now.status}")
                    seen = now.status
                if now.status != "InProgress":
                    break
            sleep(POLL)
    except (KeyboardInterrupt, CloudError):
        if seen == "InProgress":
            watcher.say(
                f"{record.job} goes on, for nothing; it cannot be stopped, and its model is stored "
                "for money until `ragtune cloud bedrock delete RUN`"
            )
        raise
    ledger = Ledger(run)
    if now.status != "Completed":
        ledger.remove(MODEL, record.job, record.region)
        ledger.remove(JOB, record.job, record.region)
        raise CloudError(f"{record.job}: {now.reason}; `import RUN --submit --again` tries again")
    _note(run, record, account)
    ledger.remove(JOB, record.job, record.region)
    return now


def _note(run: RunFolder, record: ImportRecord, account: Account) -> None:
    """What the imported model is called and how large it is, in the record and the ledger."""
    model = imported_model(account, record.job)
    if model is None:
        raise CloudError(f"{record.job}: imported, and deleted since; import it again")
    units = model.get("customModelUnits", {}).get("customModelUnitsPerModelCopy")
    # Only the account's own number: a model's id may look like one.
    arn = model["modelArn"].replace(account.id, ACCOUNT)
    write_record(run, replace(record, arn=arn, units=units))
    hourly = None if units is None else catalog.usd_per_month(units) / HOURS_A_MONTH
    Ledger(run).add(MODEL, record.job, record.region, hourly)


def _create(request: dict[str, Any], account: Account, ledger: Ledger, watcher: Watcher) -> bool:
    """Create the job; false where it is there already."""
    from botocore.exceptions import ClientError

    job = request["jobName"]
    with aws_errors(account.id):
        try:
            account.client("bedrock").create_model_import_job(**filled(request, account.id))
        except ClientError as error:
            if code_of(error) in TAKEN:
                return False
            if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:  # refused, not lost
                ledger.remove(MODEL, job, account.region)
                ledger.remove(JOB, job, account.region)
            raise
    watcher.say(f"{job}: submitted")
    return True


def _reason(found: dict[str, Any], account: Account) -> str:
    why = masked(found.get("failureMessage") or "no reason was given", account.id)
    return f"{found['status']}: {' '.join(why.split())}; {remedy(why)}"


KNOWN = (
    (("access denied", "accessdenied", "not authorized", "permission"), "the role may not read the "
     "model: give it s3:GetObject and s3:ListBucket there"),
    (("architecture", "unsupported", "not supported"), "the plan names what is imported: look at "
     "its checks `architecture` and `configuration`"),
    (("quota", "limit"), "delete an imported model, or ask for more under Service Quotas, Amazon "
     "Bedrock"),
    (("safetensors", "config.json", "tokenizer", "missing"), "write the model with `ragtune "
     "export` and import that"),
)  # fmt: skip
"""Words of a reason, in lower case, and what to do; the first that fits is taken."""


def remedy(reason: str) -> str:
    """What to do about a failed import."""
    low = reason.lower()
    for words, what in KNOWN:
        if any(word in low for word in words):
            return what
    return "the import job's page in the Bedrock console says more"
