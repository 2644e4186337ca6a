"""What deletes an import's things, by the kind of their ledger entry."""

from collections.abc import Callable, Mapping
from time import monotonic, sleep

from ragtune.core.errors import CloudError
from ragtune.core.progress import Watcher
from ragtune_cloud.bedrock import storage
from ragtune_cloud.bedrock.imports import DATA, JOB, MODEL
from ragtune_cloud.bedrock.inventory import MISSING, describe, imported_model, is_ours
from ragtune_cloud.ledger import Delete, Entry, NotOurs
from ragtune_cloud.sagemaker.account import Account, aws_errors, code_of

POLL = 20.0
"""Seconds between two tries, while an import runs: it cannot be stopped."""
PATIENCE = 7200.0
"""Seconds after which an import that still runs is given up."""


def deleters(account: Callable[[str], Account], watcher: Watcher) -> Mapping[str, Delete]:
    """For each kind the function that deletes it; ``account`` opens the account in a region."""
    return {
        DATA: lambda entry: storage.remove(entry.name, account(entry.region)),
        JOB: lambda entry: wait_ended(entry, account(entry.region), watcher),
        MODEL: lambda entry: delete_model(entry, account(entry.region), watcher),
    }


def wait_ended(entry: Entry, account: Account, watcher: Watcher) -> None:
    """Wait until an import job is over, however; there is nothing else to do about one.

    Raises CloudError where it takes hours.
    """
    started, told = monotonic(), False
    while (found := describe(account, entry.name)) and found["status"] == "InProgress":
        if monotonic() - started > PATIENCE:
            raise CloudError(
                f"{entry.name}: still importing; delete the model later: {one_liner(entry)}"
            )
        if not told:
            watcher.say(f"{entry.name}: an import cannot be stopped; waiting for its end")
            told = True
        sleep(POLL)


def delete_model(entry: Entry, account: Account, watcher: Watcher) -> None:
    """Delete an imported model, once its import is over; what is gone already is no error.

    Raises CloudError, with the shell command that deletes it, where it stays; NotOurs where it
    has no tag of ragtune's.
    """
    from botocore.exceptions import ClientError

    wait_ended(entry, account, watcher)
    started = monotonic()
    while (found := imported_model(account, entry.name)) is not None:
        if not is_ours(account, found["modelArn"]):
            raise NotOurs(
                f"{entry.name}: an imported model of that name is there without ragtune's tag; it "
                f"is left alone; if it is yours: {one_liner(entry)}"
            )
        try:
            with aws_errors(account.id):
                try:
                    account.client("bedrock").delete_imported_model(modelIdentifier=entry.name)
                except ClientError as error:
                    code = code_of(error)
                    if code in MISSING:
                        return
                    if code != "ConflictException" or monotonic() - started > PATIENCE:
                        raise
                    watcher.say(f"{entry.name}: cannot be deleted just now; trying again")
        except CloudError as error:
            raise CloudError(f"{error}; delete it: {one_liner(entry)}") from None
        if imported_model(account, entry.name) is not None:
            sleep(POLL)


def one_liner(entry: Entry) -> str:
    """The shell command that deletes an imported model without this tool."""
    return (
        f"aws bedrock delete-imported-model --model-identifier {entry.name} --region {entry.region}"
    )
