"""The verbs of endpoints and of what costs money: deploy, delete, costs."""

import json
from pathlib import Path
from time import sleep, time
from typing import TYPE_CHECKING, Annotated

import typer

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.cli.deployment import MINUTES, deployed
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
    runs_with_a_job,
    say,
)

if TYPE_CHECKING:
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
    from ragtune_cloud.sagemaker.target import SageMaker

    run, target, sides = RunFolder(run_folder), SageMaker(profile, account), _sides(side)
    with deployed(
        target,
        run_recipe(run),
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
    record, opened = target.opened(run)
    for each in sides:
        name = endpoints.endpoint_name(record, each)
        say(f"{name} costs money until: ragtune cloud delete {run}")
        say(f"  or: {one_liner(name, opened.region)}")


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
    from ragtune_cloud.bedrock.target import Bedrock
    from ragtune_cloud.ledger import Ledger, clean_up
    from ragtune_cloud.sagemaker import endpoints, jobs, storage
    from ragtune_cloud.sagemaker.target import SageMaker

    run, target, lines = RunFolder(run_folder), SageMaker(profile, account), Lines()
    record, opened = target.opened(run)
    ledger = Ledger(run)
    endpoints.note_left(record, ledger, opened, lines)
    deleters = {**target.deleters(lines), **Bedrock(profile, account).deleters(lines)}
    clean_up(ledger, deleters, lines)
    if data:
        now = jobs.describe(opened, record.job)
        if now is not None and now["TrainingJobStatus"] in jobs.LIVE:
            raise CloudError(f"{record.job}: is running; `ragtune cloud stop {run_folder}` first")
        for names in record.names.attempts:
            storage.remove(names, opened, lines)
    typer.echo(f"{record.job}: nothing deployed")


def costs(
    runs: RunsPath = Path("runs"),
    region: Annotated[str | None, typer.Option("--region", help="Besides the runs' own.")] = None,
    profile: Profile = None,
    account: Expected = None,
    as_json: AsJson = False,
) -> None:
    """List everything of ragtune's that still costs money, in every region that a run has used."""
    from ragtune_cloud.bedrock.target import Bedrock
    from ragtune_cloud.sagemaker.target import SageMaker

    found = SageMaker(profile, account).bill(runs_with_a_job(runs), region)
    found += Bedrock(profile, account).bill([RunFolder(p) for p in sorted(runs.glob("*/"))])
    lines = [*map(str, found)] or ["nothing of ragtune's costs money"]
    typer.echo(json.dumps([i.to_json() for i in found], indent=1) if as_json else "\n".join(lines))


def _sides(side: str) -> "tuple[Side, ...]":
    from ragtune.core.errors import RecipeError
    from ragtune_cloud.target import SIDES

    if side == "both":
        return SIDES
    found = tuple(one for one in SIDES if one == side)
    if not found:
        raise RecipeError(f"--side {side}: allowed: base, tuned, both")
    return found
