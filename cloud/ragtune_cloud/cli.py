"""The cloud verbs, plugged into the ``ragtune`` command through its entry-point group."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ragtune_cloud import cli_endpoints
from ragtune_cloud.options import (
    AcceptEula,
    AsJson,
    Expected,
    Overrides,
    Profile,
    RunFolder,
    open_account,
    run_recipe,
    say,
)

jobs_app = typer.Typer(
    name="cloud",
    help="A promoted job and its endpoints: watch, stop, fetch, deploy, delete, what it costs.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    app.command()(promote)
    cli_endpoints.register(jobs_app)
    app.add_typer(jobs_app)


def promote(
    run_folder: RunFolder,
    *,
    submit: Annotated[
        bool, typer.Option("--submit", help="Submit the job: this costs money.")
    ] = False,
    accept_eula: AcceptEula = False,
    accept_difference: Annotated[
        list[str] | None,
        typer.Option("--accept-difference", metavar="FIELD", help="A field without equivalent."),
    ] = None,
    override_gate: Annotated[
        str | None, typer.Option("--override-gate", metavar="REASON", help="Recorded with the job.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Pay for another attempt after one that failed.")
    ] = False,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask the account; nothing is created.")
    ] = False,
    overrides: Overrides = None,
    profile: Profile = None,
    account: Expected = None,
    as_json: AsJson = False,
) -> None:
    """Plan a run's recipe as a SageMaker JumpStart job, for nothing; --submit pays and submits."""
    from ragtune.core import offline
    from ragtune_cloud import jobs
    from ragtune_cloud.plan import Choices, plan
    from ragtune_cloud.show import show

    recipe = run_recipe(run_folder, overrides)
    opened = None
    attempt = 1
    if submit or online:
        opened = open_account(recipe.cloud.region, profile, account)
        if submit:
            attempt = jobs.find_attempt(recipe, run_folder, opened, again=again)
    else:
        offline.refuse_connections()
    accepted = tuple(accept_difference or ())
    choices = Choices(accepted, accept_eula, override_gate, account, attempt)
    planned = plan(recipe, run_folder, choices, opened)
    typer.echo(json.dumps(planned.to_json(), indent=1) if as_json else show(planned))
    if submit and opened:
        record = jobs.submit(planned, opened, say)
        say(f"next: ragtune cloud watch {run_folder}; to stop it: ragtune cloud stop {run_folder}")
        say(f"{record.job} in {record.region}")


@jobs_app.command()
def resolve(run_folder: RunFolder, overrides: Overrides = None, profile: Profile = None) -> None:
    """Read the model's artefacts and bounds from JumpStart into the run's dated lock file."""
    from ragtune.core.errors import RecipeError
    from ragtune.core.files import write_json
    from ragtune_cloud import resolve as jumpstart
    from ragtune_cloud.account import Account, aws_errors
    from ragtune_cloud.spec import LOCK

    recipe = run_recipe(run_folder, overrides)
    if recipe.model.jumpstart is None:
        raise RecipeError("model.jumpstart: missing; name the model to promote to")
    cloud = recipe.cloud
    with aws_errors():
        s3 = Account(cloud.region, profile).client("s3")
        found = jumpstart.resolve(s3, recipe.model.jumpstart, cloud.model_version, cloud.region)
    write_json(run_folder / LOCK, jumpstart.to_json(found))
    typer.echo(f"{run_folder / LOCK}: {found.model_id} {found.version} in {found.region}")


@jobs_app.command()
def models(as_json: AsJson = False) -> None:
    """List the models and instances that the shipped catalogue knows, with prices."""
    from ragtune_cloud import catalog

    known = catalog.load()
    lines = [f"catalogue of {known['dated']}; prices: {known['prices_from']}"]
    lines += [f"{name:44} {m['parameters'] / 1e9:5.2f} B" for name, m in known["models"].items()]
    lines += [f"{n:44} ${usd:.3f} an hour" for n, usd in known["usd_per_hour"].items()]
    typer.echo(json.dumps(known, indent=1) if as_json else "\n".join(lines))


@jobs_app.command()
def watch(run_folder: RunFolder, profile: Profile = None, account: Expected = None) -> None:
    """Follow the job until it ends: stage, losses beside the local run's, what it has cost."""
    _watch(run_folder, profile, account)


@jobs_app.command()
def attach(run_folder: RunFolder, profile: Profile = None, account: Expected = None) -> None:
    """Find the run's job in the account, from any machine, and follow it."""
    from ragtune_cloud import jobs

    recipe = run_recipe(run_folder, None)
    opened = open_account(recipe.cloud.region, profile, account)
    record = jobs.attach(recipe, run_folder, opened)
    say(f"attached to {record.job}")
    _watch(run_folder, profile, account)


@jobs_app.command()
def status(
    run_folder: RunFolder,
    profile: Profile = None,
    account: Expected = None,
    as_json: AsJson = False,
) -> None:
    """Say how the job stands and what it has cost so far."""
    from ragtune_cloud import jobs

    record = jobs.read_record(run_folder)
    now = jobs.status(record, open_account(record.region, profile, account))
    typer.echo(json.dumps(now.to_json(), indent=1) if as_json else str(now))
    if now.status in jobs.DEAD:
        jobs.check_ended_well(now)


@jobs_app.command()
def stop(run_folder: RunFolder, profile: Profile = None, account: Expected = None) -> None:
    """Stop the job; what it has used until then is paid for."""
    from ragtune_cloud import jobs

    record = jobs.read_record(run_folder)
    opened = open_account(record.region, profile, account)
    jobs.stop(record, opened)
    typer.echo(str(jobs.status(record, opened)))


@jobs_app.command("list")
def list_jobs(
    runs: Annotated[Path, typer.Argument(help="Where run folders are kept.")] = Path("runs"),
    profile: Profile = None,
    account: Expected = None,
) -> None:
    """List the jobs of all run folders, as the account knows them."""
    from ragtune_cloud import jobs

    for path in sorted(runs.glob(f"*/{jobs.RECORD}")):
        record = jobs.read_record(path.parents[1])
        typer.echo(str(jobs.status(record, open_account(record.region, profile, account))))


@jobs_app.command()
def fetch(run_folder: RunFolder, profile: Profile = None, account: Expected = None) -> None:
    """Fetch the tuned model, check it, and write a recipe with which `ragtune run` studies it."""
    from ragtune.cli.terminal import Terminal
    from ragtune_cloud import fetch as fetching
    from ragtune_cloud import jobs

    recipe, record = run_recipe(run_folder, None), jobs.read_record(run_folder)
    opened = open_account(record.region, profile, account)
    with Terminal() as terminal:
        path = fetching.fetch(record, recipe, run_folder, opened, terminal)
    typer.echo(f"{path} written; next: ragtune run {path} --runs {path.parent / 'runs'}")


def _watch(run_folder: Path, profile: str | None, expected: str | None) -> None:
    from ragtune.cli.terminal import Terminal
    from ragtune_cloud import jobs, watching

    record = jobs.read_record(run_folder)
    opened = open_account(record.region, profile, expected)
    with Terminal() as terminal:
        now = watching.watch(record, run_folder, opened, terminal)
    typer.echo(f"{now}; next: ragtune cloud fetch {run_folder}")
