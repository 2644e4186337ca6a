"""The verbs of the evaluation: evaluate, compare."""

from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any

import typer

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.cli.deployment import deployed
from ragtune_cloud.cli.options import (
    AcceptEula,
    AsJson,
    Expected,
    InstanceType,
    Profile,
    RunPath,
    Yes,
    run_recipe,
    say,
)


def register(app: typer.Typer) -> None:
    """Add the verbs to ``ragtune cloud``."""
    for verb in (evaluate, compare):
        app.command()(verb)


def evaluate(
    run_folder: RunPath,
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
    from ragtune.cli.terminal import Terminal
    from ragtune_cloud import evaluation
    from ragtune_cloud.sagemaker.target import SageMaker
    from ragtune_cloud.target import SIDES

    run, target = RunFolder(run_folder), SageMaker(profile, account)
    recipe = run_recipe(run)
    serving: AbstractContextManager[Any] = nullcontext()
    if make:
        serving = deployed(
            target, recipe, run, SIDES, instance_type, eula=accept_eula, yes=yes, keep=False
        )
    with serving, Terminal() as terminal:
        evaluation.evaluate(target, recipe, run, terminal)
    compare(run_folder)


def compare(run_folder: RunPath, as_json: AsJson = False) -> None:
    """Show local and cloud answers to the same questions side by side."""
    from ragtune.cli.output import print_result
    from ragtune_cloud import compare as comparison

    run = RunFolder(run_folder)
    found = comparison.compare(run)
    print_result(found, comparison.show(run), as_json)
    for report in found["reports"]:
        say(f"report: {report}")
