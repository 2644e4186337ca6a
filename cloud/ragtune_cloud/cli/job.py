"""The verbs of a job: watch, attach, status, stop, list, fetch."""

import json
from pathlib import Path

import typer

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.cli.options import (
    AsJson,
    Expected,
    Profile,
    RunPath,
    RunsPath,
    run_recipe,
    runs_with_a_job,
    say,
)


def register(app: typer.Typer) -> None:
    """Add the verbs to ``ragtune cloud``."""
    for verb in (watch, attach, status, stop, fetch):
        app.command()(verb)
    app.command("list")(list_jobs)


def watch(run_folder: RunPath, profile: Profile = None, account: Expected = None) -> None:
    """Follow the job until it ends: stage, losses beside the local run's, what it has cost."""
    from ragtune.cli.terminal import Terminal
    from ragtune_cloud.sagemaker.target import SageMaker

    target, run = SageMaker(profile, account), RunFolder(run_folder)
    with Terminal() as terminal:
        now = target.watch(run, terminal)
    typer.echo(f"{now}; next: ragtune cloud fetch {run}")


def attach(run_folder: RunPath, profile: Profile = None, account: Expected = None) -> None:
    """Find the run's job in the account, from any machine, and follow it."""
    from ragtune_cloud.sagemaker import submission
    from ragtune_cloud.sagemaker.target import SageMaker

    run = RunFolder(run_folder)
    recipe = run_recipe(run)
    opened = SageMaker(profile, account).account(recipe.cloud.region)
    record = submission.attach(recipe, run, opened)
    say(f"attached to {record.job}")
    watch(run_folder, profile, account)


def status(
    run_folder: RunPath,
    profile: Profile = None,
    account: Expected = None,
    as_json: AsJson = False,
) -> None:
    """Say how the job is doing and what it has cost so far."""
    from ragtune_cloud.sagemaker import jobs
    from ragtune_cloud.sagemaker.target import SageMaker

    now = SageMaker(profile, account).status(RunFolder(run_folder))
    typer.echo(json.dumps(now.to_json(), indent=1) if as_json else str(now))
    if now.status in jobs.DEAD:
        jobs.check_ended_well(now)


def stop(run_folder: RunPath, profile: Profile = None, account: Expected = None) -> None:
    """Stop the job; what it has used until then is paid for."""
    from ragtune_cloud.sagemaker import jobs
    from ragtune_cloud.sagemaker.target import SageMaker

    record, opened = SageMaker(profile, account).opened(RunFolder(run_folder))
    jobs.stop(record, opened)
    typer.echo(str(jobs.status(record, opened)))


def list_jobs(
    runs: RunsPath = Path("runs"), profile: Profile = None, account: Expected = None
) -> None:
    """List the jobs of all run folders, as the account knows them."""
    from ragtune.core.errors import CloudError, RagtuneError
    from ragtune_cloud.folder import noted_job
    from ragtune_cloud.sagemaker.target import SageMaker

    target, failed = SageMaker(profile, account), 0
    for run in runs_with_a_job(runs):
        try:
            typer.echo(str(target.status(run)))
        except RagtuneError as error:
            failed += 1
            typer.echo(f"{noted_job(run)}: not known: {error}")
    if failed:
        raise CloudError(f"{failed} jobs could not be asked about, or are not there any more")


def fetch(run_folder: RunPath, profile: Profile = None, account: Expected = None) -> None:
    """Fetch the tuned model, check it, and write a recipe with which `ragtune run` studies it."""
    from ragtune.cli.terminal import Terminal
    from ragtune_cloud.sagemaker.target import SageMaker

    run, target = RunFolder(run_folder), SageMaker(profile, account)
    with Terminal() as terminal:
        path = target.fetch(run_recipe(run), run, terminal)
    typer.echo(f"{path} written; next: ragtune run {path} --runs {path.parent / 'runs'}")
