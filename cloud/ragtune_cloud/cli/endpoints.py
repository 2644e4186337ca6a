"""The verbs of endpoints and of what costs money: deploy, delete, costs."""

import json
from pathlib import Path
from time import sleep, time
from typing import TYPE_CHECKING, Annotated

import typer

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.cli.deployment import MINUTES, deployed
from ragtune_cloud.cli.every import deleters, targets
from ragtune_cloud.cli.options import (
    AcceptEula,
    AsJson,
    Expected,
    InstanceType,
    Lines,
    Profile,
    RunPath,
    RunsPath,
    Yes,
    run_recipe,
    runs_in_a_cloud,
    say,
)

if TYPE_CHECKING:
    from ragtune_cloud.sagemaker.record import Record
    from ragtune_cloud.sagemaker.target import SageMaker
    from ragtune_cloud.target import Side

LOOK = 30.0
"""Seconds between two looks at the clock."""


def register(app: typer.Typer) -> None:
    """Add the verbs to ``ragtune cloud``."""
    for verb in (deploy, delete, costs):
        app.command()(verb)


def deploy(
    run_folder: RunPath,
    *,
    side: Annotated[str, typer.Option("--side", help="base, tuned or both.")] = "both",
    instance_type: InstanceType = None,
    ttl: Annotated[
        float, typer.Option("--ttl", min=0, help="Minutes, after which they are deleted.")
    ] = MINUTES,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave them running until `ragtune cloud delete`.")
    ] = False,
    accept_eula: AcceptEula = False,
    yes: Yes = False,
    profile: Profile = None,
    account: Expected = None,
) -> None:
    """Deploy endpoints, which cost money by the hour; they are deleted when this command ends."""
    from ragtune_cloud.sagemaker import endpoints
    from ragtune_cloud.sagemaker.deletion import one_liner
    from ragtune_cloud.sagemaker.record import served_record
    from ragtune_cloud.sagemaker.target import SageMaker

    run, target, sides = RunFolder(run_folder), SageMaker(profile, account), _sides(side)
    recipe = run_recipe(run)
    with deployed(
        target,
        recipe,
        run,
        sides,
        instance_type,
        eula=accept_eula,
        yes=yes,
        keep=keep,
        minutes=ttl,
        breaks_off=False,
    ):
        if not keep:
            say(f"in service; deleted in {ttl:g} minutes, or when this command ends (Ctrl-C)")
            _wait(60 * ttl)
            return
    record = served_record(run, recipe)
    for each in sides:
        name = endpoints.endpoint_name(record, each)
        say(f"{name} costs money until: ragtune cloud delete {run}")
        say(f"  or: {one_liner(name, record.region)}")


def _wait(seconds: float) -> None:
    """Sleep by the clock: a machine that was suspended meanwhile goes on with less."""
    end = time() + seconds
    while (left := end - time()) > 0:
        sleep(min(left, LOOK))


def delete(
    run_folder: RunPath,
    data: Annotated[
        bool, typer.Option("--data", help="Also all that its attempts have in S3.")
    ] = False,
    yes: Yes = False,
    profile: Profile = None,
    account: Expected = None,
) -> None:
    """Delete whatever was created for the run and costs money, but for its job."""
    from ragtune.core.errors import CloudError
    from ragtune_cloud.ledger import Ledger, clean_up
    from ragtune_cloud.sagemaker import endpoints, storage
    from ragtune_cloud.sagemaker.record import records
    from ragtune_cloud.sagemaker.target import SageMaker

    run, target, lines = RunFolder(run_folder), SageMaker(profile, account), Lines()
    noted, ledger = records(run), Ledger(run)
    if not noted and not ledger.open() and not ledger.regions:
        raise CloudError(f"{run}: nothing was ever submitted or deployed from it")
    for record in noted:
        endpoints.note_left(record, ledger, target.account(record.region), lines)
    clean_up(ledger, deleters(target, lines), lines)
    if data:
        if live := _live(noted, target):
            raise CloudError(f"{live[0]}: is running; `ragtune cloud stop {run_folder}` first")
        _ask_for_the_model(run, noted, target, yes=yes)
        for record in noted:
            for names in record.names.attempts:
                storage.remove(names, target.account(record.region), lines)
    typer.echo(f"{run}: nothing deployed" + (", nothing stored" if data else ""))


def _live(noted: "list[Record]", target: "SageMaker") -> list[str]:
    """The jobs that are not over."""
    from ragtune_cloud.sagemaker import jobs

    found = ((r.job, jobs.describe(target.account(r.region), r.job)) for r in noted)
    return [job for job, now in found if now and now["TrainingJobStatus"] in jobs.LIVE]


def _ask_for_the_model(
    run: RunFolder, noted: "list[Record]", target: "SageMaker", *, yes: bool
) -> None:
    """Ask before a tuned model is deleted that is nowhere else."""
    import sys

    from ragtune.core.errors import CloudError
    from ragtune.core.files import read_json
    from ragtune_cloud.folder import CloudFolder
    from ragtune_cloud.sagemaker import jobs

    note = CloudFolder(run).fetched_note
    here = read_json(note).get("job") if note.exists() else None
    only_there = [
        record.job
        for record in noted
        if record.job != here
        and (found := jobs.describe(target.account(record.region), record.job))
        and found["TrainingJobStatus"] == "Completed"
    ]
    if not only_there or yes:
        return
    told = f"{only_there[-1]}: its tuned model was not fetched and is nowhere but in S3"
    if not sys.stdin.isatty():
        raise CloudError(f"{told}; `ragtune cloud fetch {run}` first, or --yes deletes it")
    typer.confirm(f"{told} (`ragtune cloud fetch {run}` brings it here); delete it?", abort=True)


def costs(
    runs: RunsPath = Path("runs"),
    region: Annotated[str | None, typer.Option("--region", help="Besides the runs' own.")] = None,
    profile: Profile = None,
    account: Expected = None,
    as_json: AsJson = False,
) -> None:
    """List everything of ragtune's that still costs money, in every region that a run has used."""
    from ragtune.core.errors import CloudError
    from ragtune_cloud.target import UNCHECKED

    kept = runs_in_a_cloud(runs)
    found = [item for target in targets(profile, account) for item in target.bill(kept, region)]
    failed = [item for item in found if item.kind == UNCHECKED]
    lines = [*map(str, found)] or ["nothing of ragtune's costs money"]
    typer.echo(json.dumps([i.to_json() for i in found], indent=1) if as_json else "\n".join(lines))
    if failed:
        raise CloudError(
            f"{len(failed)} of {len(found)} rows could not be asked, so there may be more that "
            "costs money"
        )


def _sides(side: str) -> "tuple[Side, ...]":
    from ragtune.core.errors import RecipeError
    from ragtune_cloud.target import SIDES

    if side == "both":
        return SIDES
    found = tuple(one for one in SIDES if one == side)
    if not found:
        raise RecipeError(f"--side {side}: allowed: base, tuned, both")
    return found
