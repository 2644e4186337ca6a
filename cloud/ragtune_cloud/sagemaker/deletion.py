"""Endpoints, configurations, models and schedules deleted: waited for, and never a stranger's."""

import functools
from collections.abc import Callable
from time import sleep

from ragtune.core.errors import CloudError
from ragtune.core.progress import Watcher
from ragtune_cloud.ledger import Delete, Entry, NotOurs
from ragtune_cloud.sagemaker import schedules, things
from ragtune_cloud.sagemaker.account import Account, aws_errors
from ragtune_cloud.sagemaker.names import IDENTITY_TAG

MAKING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
"""States in which AWS refuses to delete an endpoint: "Cannot update in-progress endpoint"."""
POLL = 10.0
"""Seconds between two looks at an endpoint that cannot be deleted yet, or is being deleted."""
PATIENCE = 3600.0
"""Seconds after which an endpoint that cannot be deleted is given up; creation takes no longer."""


def deleters(open_account: Callable[[str], Account], watcher: Watcher) -> dict[str, Delete]:
    """What deletes each kind of SageMaker's things, in an account that is opened by region."""

    def by(remove: Callable[[Account, Entry], None]) -> Delete:
        return lambda entry: remove(open_account(entry.region), entry)

    return {
        things.ENDPOINT: by(functools.partial(_endpoint, watcher)),
        things.CONFIG: by(_at_once),
        things.MODEL: by(_at_once),
        schedules.KIND: by(lambda account, entry: schedules.delete(account, entry.name)),
    }


def one_liner(name: str, region: str) -> str:
    """The shell command that deletes an endpoint without this tool."""
    return f"aws sagemaker delete-endpoint --endpoint-name {name} --region {region}"


def _endpoint(watcher: Watcher, account: Account, entry: Entry) -> None:
    try:
        _delete_endpoint(watcher, account, entry)
    except NotOurs:
        raise
    except CloudError as error:
        by_hand = one_liner(entry.name, entry.region)
        raise CloudError(f"{error}; delete it: {by_hand}") from None


def _delete_endpoint(watcher: Watcher, account: Account, entry: Entry) -> None:
    seen, waited, checked = "", 0.0, False
    while (found := things.describe(account, things.ENDPOINT, entry.name)) is not None:
        if not checked:
            _refuse_foreign(account, entry, found)
            checked = True
        if (status := found["EndpointStatus"]) not in MAKING:
            _remove(account, entry)
            status = "Deleting"
        if waited > PATIENCE:
            raise CloudError(f"{entry.name}: still {status} after an hour")
        if status not in {seen, "Deleting"}:
            watcher.say(f"{entry.name}: {status}; AWS deletes it only after that, waiting")
        seen, waited = status, waited + POLL
        sleep(POLL)


def _remove(account: Account, entry: Entry) -> None:
    """Ask for the deletion; nothing happens where it is refused because of a state that passes."""
    from botocore.exceptions import ClientError

    with aws_errors(account.known_id):
        try:
            things.call(account, "delete", entry.kind, entry.name)
        except ClientError as error:
            if not things.is_missing(error) and "in-progress" not in str(error):
                raise


def _at_once(account: Account, entry: Entry) -> None:
    found = things.describe(account, entry.kind, entry.name)
    if found is not None:
        _refuse_foreign(account, entry, found)
        _remove(account, entry)


def _refuse_foreign(account: Account, entry: Entry, found: dict[str, object]) -> None:
    """Raise NotOurs for a thing without our tag.

    Where tags may not be read, the ledger is believed: when it was written there was none of that
    name.
    """
    try:
        tags = things.tags(account, entry.kind, found)
    except CloudError:
        return
    if IDENTITY_TAG not in tags:
        raise NotOurs(
            f"{entry.name}: the {entry.kind} of that name has no tag {IDENTITY_TAG}: it is "
            "another's and was left as it is"
        )
