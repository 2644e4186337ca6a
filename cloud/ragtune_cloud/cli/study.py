"""The verbs of the study at full size: study, compare."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.cli.deployment import MINUTES, clear, deployed
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

if TYPE_CHECKING:
    from ragtune.recipe.schema import Recipe
    from ragtune_cloud.target import Side


def register(app: typer.Typer) -> None:
    """Add the verbs to ``ragtune cloud``."""
    for verb in (study, compare):
        app.command()(verb)


def study(
    run_folder: RunPath,
    *,
    arms: Annotated[
        str | None,
        typer.Option("--arms", metavar="ARM,ARM", help="Some of the run's arms; all by default."),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Another field of needs; of cloud too, where no job was submitted.",
        ),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask again what ended in an error.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the endpoints running, which costs money.")
    ] = False,
    ttl: Annotated[
        float, typer.Option("--ttl", min=0, help="Minutes, after which they are deleted.")
    ] = MINUTES,
    instance_type: InstanceType = None,
    accept_eula: AcceptEula = False,
    yes: Yes = False,
    profile: Profile = None,
    account: Expected = None,
    as_json: AsJson = False,
) -> None:
    """Ask every arm of the run at full size: deploy, ask, delete, and compare with the run."""
    from ragtune.cli.output import print_result
    from ragtune.cli.terminal import Terminal
    from ragtune.results import table
    from ragtune_cloud import study as at_full_size
    from ragtune_cloud.folder import CloudFolder
    from ragtune_cloud.sagemaker.served import EndpointServing
    from ragtune_cloud.sagemaker.target import SageMaker
    from ragtune_cloud.study.arms import chosen

    run, target = RunFolder(run_folder), SageMaker(profile, account)
    trained = CloudFolder(run).job.exists()
    # What a job was submitted with holds for its endpoints too.
    recipe = run_recipe(run, overrides, ("needs.",) if trained else ("needs.", "cloud."))
    asked = recipe if arms is None else chosen(recipe, [a.strip() for a in arms.split(",")])
    if not trained:
        _refuse_tuned(recipe, asked, run)

    def serving(sides: "Sequence[Side]") -> AbstractContextManager[None]:
        return deployed(
            target,
            recipe,
            run,
            sides,
            instance_type,
            eula=accept_eula,
            yes=yes,
            keep=keep,
            minutes=ttl,
            maker=f"study {models.key}",
        )

    def clearing() -> None:
        if not keep:
            clear(target, run, f"study {models.key}")

    models = EndpointServing(target, recipe, run, serving, clearing, instance_type=instance_type)
    _warn_of_form(asked, models.model)
    with Terminal() as terminal:
        results = at_full_size.study(models, asked, run, terminal, failed=retry_failed)
    print_result(results.to_json(), table.render(results), as_json)
    say(f"report: {CloudFolder(run).study(models.key).report}")


def _refuse_tuned(recipe: "Recipe", asked: "Recipe", run: RunFolder) -> None:
    """Say what is left out where no job was submitted.

    Raises CloudError where an arm is to be asked that needs the tuned model.
    """
    from ragtune.core.errors import CloudError
    from ragtune.recipe.arms import is_tuned

    untuned = [arm for arm in recipe.arms if not is_tuned(arm)]
    if left := [arm for arm in asked.arms if is_tuned(arm)]:
        alone = f"--arms {','.join(untuned)} studies the untuned model alone; " if untuned else ""
        raise CloudError(
            f"{run}: no job was submitted from it, so there is no tuned model for "
            f"{', '.join(left)}; {alone}`ragtune promote {run} --submit` tunes it first"
        )
    others = [arm for arm in recipe.arms if arm not in asked.arms]
    told = f"; not asked: {', '.join(others)}" if others else ""
    say(f"the untuned model alone: nothing is trained, so the gate is not asked{told}")


def _warn_of_form(recipe: "Recipe", there: str) -> None:
    """Say what prompts in a model's own chat form are to another model."""
    from ragtune.prompts.template import CHAT

    if recipe.template.build().format == CHAT:
        say(
            f"warning: the prompts have the chat form of {recipe.model.local}; where {there} marks "
            "turns otherwise it reads these marks as text, and answers worse than it could"
        )


def compare(run_folder: RunPath, as_json: AsJson = False) -> None:
    """Show what was answered here, at full size, and by the fetched model, one below the other."""
    from ragtune.cli.output import print_result
    from ragtune_cloud.study import compare as comparison

    run = RunFolder(run_folder)
    found = comparison.compare(run)
    print_result(found, comparison.show(run), as_json)
    for report in found["reports"]:
        say(f"report: {report}")
