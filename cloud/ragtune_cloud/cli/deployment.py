"""Endpoints for as long as a command needs them."""

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from ragtune_cloud.cli.options import Lines, say

if TYPE_CHECKING:
    from ragtune.core.run_folder import RunFolder
    from ragtune.recipe.schema import Recipe
    from ragtune_cloud.sagemaker.target import SageMaker
    from ragtune_cloud.target import Side


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
    keep: bool,
) -> Iterator[None]:
    """Endpoints in service, after a yes to their price; deleted at the end unless ``keep``.

    Whatever breaks the command off before that, a termination too, deletes them.
    """
    from ragtune.core.errors import CloudError
    from ragtune_cloud.sagemaker import endpoints, spec
    from ragtune_cloud.sagemaker.record import read_record

    record = read_record(run)
    found = spec.find(record.model_id, recipe.cloud.model_version, record.region, run)
    if found is None:
        raise CloudError(f"{record.model_id}: `ragtune cloud resolve {run}` first")
    offers = [endpoints.offer(record, found, side, instance_type, eula=eula) for side in sides]
    for offered in offers:
        say(str(offered))
    if not yes:
        typer.confirm("deploy?", abort=True, err=True)
    opened, lines = target.account(record.region), Lines()
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    stays = False
    try:
        for offered in offers:
            endpoints.deploy(offered, record, recipe, found, account=opened, watcher=lines)
        for offered in offers:
            endpoints.wait(offered.name, opened, lines)
        yield
        stays = keep
    finally:
        signal.signal(signal.SIGTERM, before)
        if not stays:
            endpoints.delete(record, opened, lines, sides)
