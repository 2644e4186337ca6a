"""Everything of Bedrock's that still costs money, or is about to."""

import datetime
import functools
from collections.abc import Callable, Iterable, Iterator

from ragtune.core.errors import CloudError
from ragtune_cloud.bedrock import catalog, storage
from ragtune_cloud.bedrock.imports import HOURS_A_MONTH
from ragtune_cloud.bedrock.inventory import imported_model, is_ours
from ragtune_cloud.sagemaker import catalog as sagemaker_catalog
from ragtune_cloud.sagemaker.account import Account, aws_errors
from ragtune_cloud.target import UNCHECKED, Item

REMEDY = "ragtune cloud bedrock delete RUN"


def running(account: Account, uploaded: Iterable[str]) -> Iterator[Item]:
    """Imports and imported models of ragtune's in the account's region, and uploaded files.

    ``uploaded`` are URIs of what was put into S3 for imports. What cannot be asked is a row of its
    own and hides nothing else.
    """
    asked: dict[str, Callable[[], Iterator[Item]]] = {
        f"imports in {account.region}": lambda: _imports(account),
        f"imported models in {account.region}": lambda: _models(account),
        **{uri: functools.partial(_stored, account, uri) for uri in uploaded},
    }
    for name, ask in asked.items():
        try:
            yield from ask()
        except CloudError as error:
            yield unchecked(name, error)


def unchecked(name: str, error: CloudError) -> Item:
    """The row of what could not be asked: it may cost money all the same."""
    return Item(UNCHECKED, name, None, None, str(error))


def _imports(account: Account) -> Iterator[Item]:
    pages = account.client("bedrock").get_paginator("list_model_import_jobs")
    with aws_errors(account.id):
        listed = [
            job
            for page in pages.paginate(statusEquals="InProgress")
            for job in page.get("modelImportJobSummaries", ())
        ]
    for job in listed:
        if is_ours(account, job["jobArn"]):
            yield Item("import job", job["jobName"], 0.0, 0.0, REMEDY)


def _models(account: Account) -> Iterator[Item]:
    pages = account.client("bedrock").get_paginator("list_imported_models")
    with aws_errors(account.id):
        listed = [m for page in pages.paginate() for m in page.get("modelSummaries", ())]
    for model in listed:
        if not is_ours(account, model["modelArn"]):
            continue
        found = imported_model(account, model["modelName"]) or {}
        units = found.get("customModelUnits", {}).get("customModelUnitsPerModelCopy")
        hourly = None if units is None else catalog.usd_per_month(units) / HOURS_A_MONTH
        window = None if units is None else catalog.usd_per_window(account.region, units)
        asked = "" if window is None else f"; while it is asked ${window:.2f} a window"
        so_far = None
        if hourly is not None:
            age = datetime.datetime.now(datetime.UTC) - model["creationTime"]
            so_far = round(hourly * age.total_seconds() / 3600, 2)
        yield Item("imported model", model["modelName"], hourly, so_far, f"{REMEDY}{asked}")


def _stored(account: Account, uri: str) -> Iterator[Item]:
    size = storage.stored_bytes(uri, account)
    if size:
        monthly = size / 1e9 * float(sagemaker_catalog.load()["storage_usd_per_gb_month"])
        yield Item(f"{size / 1e9:.3f} GB stored", uri, monthly / HOURS_A_MONTH, None, REMEDY)
