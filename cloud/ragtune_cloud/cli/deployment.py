"""Endpoints for as long as a command needs them."""

import datetime
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from ragtune_cloud.cli.options import Lines, say
from ragtune_cloud.cli.teardown import torn_down

if TYPE_CHECKING:
    from ragtune.core.run_folder import RunFolder
    from ragtune.recipe.schema import Recipe
    from ragtune_cloud.sagemaker.target import SageMaker
    from ragtune_cloud.target import Side

MINUTES = 60.0
"""How long an endpoint lives where nothing else is said."""


@contextmanager
def deployed(
    target: "SageMaker",
    recipe: "Recipe",
    run: "RunFolder",
    sides: "Sequence[Side]",
    instance_type: str | None,
    *,
    eula: bool,
    yes: bool,
    keep: bool = False,
    minutes: float = MINUTES,
    breaks_off: bool = True,
    maker: str = "",
) -> Iterator[None]:
    """Endpoints in service, after a yes to their price; deleted at the end unless ``keep``.

    Whatever breaks the command off before that, a signal too, deletes them. After ``minutes`` AWS
    deletes them where ``cloud.scheduler_role`` is named, and the context is broken off where
    ``breaks_off``. Nothing is created where one of the sides cannot be deployed. What a killed
    process of the same ``maker`` left is deleted with them.
    """
    from ragtune.core.errors import CloudError
    from ragtune_cloud.ledger import Ledger
    from ragtune_cloud.sagemaker import endpoints, spec
    from ragtune_cloud.sagemaker.record import read_record, served_record

    record = served_record(run, recipe)
    if "tuned" in sides and not record.trained:
        read_record(run)  # which says what is missing
    found = spec.find(record.model_id, record.model_version, record.region, run)
    if found is None:
        raise CloudError(
            f"{record.model_id} {record.model_version or ''}: `ragtune cloud resolve {run}` first"
        )
    opened, lines, ledger = target.account(record.region), Lines(), Ledger(run, maker)
    offers = [
        endpoints.as_found(
            endpoints.offer(record, found, side, instance_type, eula=eula),
            recipe.identity,
            opened,
            lines,
            record.prices,
        )
        for side in sides
    ]
    requests = [endpoints.prepare(o, record, recipe, found, opened) for o in offers]
    for offered in offers:
        say(str(offered))
    if not yes:
        typer.confirm("deploy?", abort=True, err=True)
    life = datetime.timedelta(minutes=minutes)
    delete_by = None if keep else datetime.datetime.now(datetime.UTC) + life
    _say_end(recipe, minutes, keep=keep)
    deleters, limit = target.deleters(lines), delete_by if breaks_off else None
    with torn_down(ledger, deleters, lines, keep=keep, delete_by=limit):
        if maker:
            ledger.take_over()
        for offered, request in zip(offers, requests, strict=True):
            endpoints.create(
                offered,
                request,
                recipe,
                ledger,
                account=opened,
                watcher=lines,
                delete_by=delete_by,
            )
        for offered in offers:
            endpoints.wait(offered.name, opened, lines)
        yield


def clear(target: "SageMaker", run: "RunFolder", maker: str) -> None:
    """Delete what a killed process of that maker left; nothing is sent where there is nothing.

    Raises CloudError with a line for each thing that stays.
    """
    from ragtune_cloud.ledger import Ledger

    ledger, lines = Ledger(run, maker), Lines()
    with torn_down(ledger, target.deleters(lines), lines):
        ledger.take_over()


def _say_end(recipe: "Recipe", minutes: float, *, keep: bool) -> None:
    if keep:
        say("kept until `ragtune cloud delete RUN`")
    elif recipe.cloud.scheduler_role:
        say(f"deleted when this command ends, and by AWS itself after {minutes:g} minutes")
    else:
        say(
            f"deleted when this command ends, or after {minutes:g} minutes; if this machine dies "
            "before that they run on until `ragtune cloud delete RUN`. With cloud.scheduler_role "
            "AWS deletes them itself"
        )
