"""The verbs before a job: promote, resolve, models."""

import json
from typing import Annotated

import typer

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.cli import index
from ragtune_cloud.cli.options import (
    AcceptEula,
    AsJson,
    Expected,
    Lines,
    Overrides,
    Profile,
    RunPath,
    run_recipe,
    say,
)


def register(app: typer.Typer) -> None:
    """Add the verbs to ``ragtune cloud``."""
    for verb in (resolve, models):
        app.command()(verb)


def promote(
    run_folder: RunPath,
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
    part: index.Part = "model",
    home: index.HomeOption = None,
    url: index.Url = None,
    embedder: index.EmbedderOption = None,
    chunks: index.ChunksOption = "service",
    overrides: Overrides = None,
    profile: Profile = None,
    account: Expected = None,
    as_json: AsJson = False,
) -> None:
    """Plan a run's recipe as a SageMaker JumpStart job, for nothing; --submit pays and submits.

    With --part index it is the run's index that moves: to a Qdrant server, to Amazon S3 Vectors, or
    into a Knowledge Base of Amazon Bedrock.
    """
    from ragtune.core import offline
    from ragtune_cloud.cli.plan import show
    from ragtune_cloud.plan import plan
    from ragtune_cloud.sagemaker.submission import find_attempt, refuse_elsewhere
    from ragtune_cloud.sagemaker.target import SageMaker
    from ragtune_cloud.target import Choices

    run = RunFolder(run_folder)
    recipe = run_recipe(run, overrides)
    accepted = tuple(accept_difference or ())
    if index.is_index(part, home):
        index.promote_index(
            recipe,
            run,
            Choices(accepted, override_gate=override_gate),
            index.Where(home, url, embedder, chunks, profile, account),
            submit=submit,
            online=online,
            as_json=as_json,
        )
        return
    target = SageMaker(profile, account, online=submit or online)
    attempt = 1
    if submit:
        if not again:
            refuse_elsewhere(recipe, run, target.account)
        attempt = find_attempt(recipe, run, target.account(recipe.cloud.region), again=again)
    elif not online:
        offline.refuse_connections()
    choices = Choices(accepted, accept_eula, override_gate, account, attempt)
    planned = plan(target, recipe, run, choices)
    text = show(planned, submits=submit, asked=online)
    typer.echo(json.dumps(planned.to_json(), indent=1) if as_json else text)
    if submit:
        job = target.submit(planned, Lines())
        say(f"next: ragtune cloud watch {run}; to stop it: ragtune cloud stop {run}")
        say(f"{job} in {recipe.cloud.region}")


def resolve(run_folder: RunPath, overrides: Overrides = None) -> None:
    """Read the model's spec from JumpStart, without an account, into the run's dated lock file."""
    from ragtune.core.errors import RecipeError
    from ragtune.core.files import write_json
    from ragtune_cloud.folder import CloudFolder
    from ragtune_cloud.sagemaker import manifest
    from ragtune_cloud.sagemaker.account import aws_errors

    run = RunFolder(run_folder)
    recipe = run_recipe(run, overrides)
    if recipe.model.jumpstart is None:
        raise RecipeError("model.jumpstart: missing; name the model to promote to")
    cloud, path = recipe.cloud, CloudFolder(run).artefacts
    with aws_errors():
        s3 = manifest.public_client(cloud.region)
        found = manifest.resolve(s3, recipe.model.jumpstart, cloud.model_version, cloud.region)
    write_json(path, found.to_json())
    typer.echo(f"{path}: {found.model_id} {found.version} in {found.region}")
    if found.licence:
        typer.echo(f"its licence, to be read before --accept-eula: {found.licence}")


def models(as_json: AsJson = False) -> None:
    """List the models and instances that the shipped catalogue knows, with prices."""
    from ragtune_cloud.sagemaker import catalog

    known = catalog.load()
    lines = [f"catalogue of {known['dated']}; prices: {known['prices_from']}"]
    lines += [f"{name:44} {m['parameters'] / 1e9:5.2f} B" for name, m in known["models"].items()]
    for region, prices in known["usd_per_hour"].items():
        lines += [f"{n:44} ${usd:.3f} an hour in {region}" for n, usd in prices.items()]
    typer.echo(json.dumps(known, indent=1) if as_json else "\n".join(lines))
