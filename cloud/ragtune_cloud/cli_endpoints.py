"""The verbs of endpoints: compare, deploy, evaluate, delete, costs."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragtune_cloud.options import (
    AcceptEula,
    AsJson,
    Expected,
    InstanceType,
    Profile,
    RunFolder,
    Yes,
    open_account,
    run_recipe,
    say,
)

if TYPE_CHECKING:
    from ragtune_cloud.account import Account
    from ragtune_cloud.jobs import Record


def register(app: typer.Typer) -> None:
    """Add the verbs to ``ragtune cloud``."""
    for verb in (compare, deploy, evaluate, delete, costs):
        app.command()(verb)


def compare(run_folder: RunFolder, as_json: AsJson = False) -> None:
    """Score local and cloud answers to the same questions; write cloud/comparison.html."""
    from ragtune_cloud import compare as comparing
    from ragtune_cloud import jobs

    has_job = (run_folder / jobs.RECORD).exists()
    record = jobs.read_record(run_folder) if has_job else None
    figures = comparing.compare(run_recipe(run_folder, None), run_folder, record)
    typer.echo(json.dumps(figures, indent=1) if as_json else comparing.show(figures))
    say(f"page: {run_folder / comparing.PAGE}")


def deploy(
    run_folder: RunFolder,
    *,
    side: Annotated[str, typer.Option("--side", help="base, tuned or both.")] = "both",
    instance_type: InstanceType = None,
    ttl: Annotated[
        float | None, typer.Option("--ttl", min=0, help="Minutes, after which it is deleted.")
    ] = None,
    accept_eula: AcceptEula = False,
    yes: Yes = False,
    profile: Profile = None,
    account: Expected = None,
) -> None:
    """Deploy endpoints, which cost money by the hour until they are deleted."""
    from ragtune_cloud import endpoints

    with _deployment(
        run_folder,
        _sides(side),
        instance_type,
        eula=accept_eula,
        yes=yes,
        keep=ttl is None,
        account=(profile, account),
    ) as (record, opened):
        if ttl is not None:
            say(f"deleted in {ttl:g} minutes, or when this command ends")
            sleep(60 * ttl)
            return
    for each in _sides(side):
        name = endpoints.endpoint_name(record, each)
        say(f"{name} costs money until: ragtune cloud delete {run_folder}")
        say(f"  or: {endpoints.one_liner(name, opened)}")


def evaluate(
    run_folder: RunFolder,
    *,
    make: Annotated[
        bool, typer.Option("--deploy", help="Deploy both first, and delete them at the end.")
    ] = False,
    instance_type: InstanceType = None,
    accept_eula: AcceptEula = False,
    yes: Yes = False,
    profile: Profile = None,
    account: Expected = None,
) -> None:
    """Ask the base and the tuned endpoint the held-out questions, and compare."""
    from contextlib import nullcontext

    from ragtune.cli.terminal import Terminal
    from ragtune_cloud import endpoints, jobs
    from ragtune_cloud import evaluate as evaluating

    recipe, record = run_recipe(run_folder, None), jobs.read_record(run_folder)
    opened = open_account(record.region, profile, account)
    deployed: Any = nullcontext()
    if make:
        deployed = _deployment(
            run_folder,
            endpoints.SIDES,
            instance_type,
            eula=accept_eula,
            yes=yes,
            keep=False,
            account=(profile, account),
        )
    with deployed, Terminal() as terminal:
        for side in endpoints.SIDES:
            evaluating.ask(record, recipe, run_folder, side, account=opened, watcher=terminal)
    compare(run_folder)


def delete(
    run_folder: RunFolder,
    data: Annotated[
        bool, typer.Option("--data", help="Also all that its attempts have in S3.")
    ] = False,
    profile: Profile = None,
    account: Expected = None,
) -> None:
    """Delete the run's endpoints with their configurations and models."""
    from ragtune_cloud import costs as bill
    from ragtune_cloud import endpoints, jobs

    record = jobs.read_record(run_folder)
    opened = open_account(record.region, profile, account)
    endpoints.delete(record, opened, say)
    if data:
        now = jobs.describe(opened, record.job)
        if now is not None and now["TrainingJobStatus"] in jobs.LIVE:
            from ragtune_cloud.errors import CloudError

            raise CloudError(f"{record.job}: is running; `ragtune cloud stop {run_folder}` first")
        for names in record.names.attempts:
            bill.remove_stored(names, opened, say)
    typer.echo(f"{record.job}: nothing deployed")


def costs(
    runs: Annotated[Path, typer.Argument(help="Where run folders are kept.")] = Path("runs"),
    region: Annotated[str | None, typer.Option("--region", help="Besides the runs' own.")] = None,
    profile: Profile = None,
    account: Expected = None,
    as_json: AsJson = False,
) -> None:
    """List everything of ragtune's that still costs money, in every region that a run has used."""
    from ragtune_cloud import costs as bill
    from ragtune_cloud import jobs

    records = [jobs.read_record(p.parents[1]) for p in sorted(runs.glob(f"*/{jobs.RECORD}"))]
    regions = sorted({r.region for r in records} | ({region} if region else set()))
    found = []
    for place in regions or ["us-east-1"]:
        mine = [r for r in records if r.region == place]
        found += bill.running(open_account(place, profile, account), mine)
    lines = [*map(str, found)] or ["nothing of ragtune's costs money"]
    typer.echo(json.dumps([i.to_json() for i in found], indent=1) if as_json else "\n".join(lines))


def _sides(side: str) -> tuple[str, ...]:
    from ragtune.core.errors import RecipeError
    from ragtune_cloud.endpoints import SIDES

    if side not in {*SIDES, "both"}:
        raise RecipeError(f"--side {side}: allowed: base, tuned, both")
    return SIDES if side == "both" else (side,)


@contextmanager
def _deployment(
    run_folder: Path,
    sides: tuple[str, ...],
    instance_type: str | None,
    *,
    eula: bool,
    yes: bool,
    keep: bool,
    account: tuple[str | None, str | None],
) -> Iterator[tuple["Record", "Account"]]:
    """Endpoints in service, after a yes to their price; deleted at the end unless ``keep``.

    Whatever breaks the command off before that, a termination too, deletes them.
    """
    import signal

    from ragtune_cloud import endpoints, jobs, spec
    from ragtune_cloud.errors import CloudError

    recipe, record = run_recipe(run_folder, None), jobs.read_record(run_folder)
    found = spec.find(record.model_id, recipe.cloud.model_version, record.region, run_folder)
    if found is None:
        raise CloudError(f"{record.model_id}: `ragtune cloud resolve {run_folder}` first")
    offers = [endpoints.offer(record, found, side, instance_type, eula=eula) for side in sides]
    for offered in offers:
        say(str(offered))
    if not yes:
        typer.confirm("deploy?", abort=True, err=True)
    opened = open_account(record.region, *account)
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    stays = False
    try:
        for offered in offers:
            endpoints.deploy(offered, record, recipe, found, account=opened, say=say)
        for offered in offers:
            endpoints.wait(offered.name, opened, say)
        yield record, opened
        stays = keep
    finally:
        signal.signal(signal.SIGTERM, before)
        if not stays:
            endpoints.delete(record, opened, say, sides)
