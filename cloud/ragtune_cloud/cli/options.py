"""What the cloud verbs share: their options, the run's recipe, the account."""

import sys
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragtune.core.progress import Advance
from ragtune.core.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ragtune.recipe.schema import Recipe


def _warned(path: Path) -> Path:
    """The path of a run folder; what it has in a cloud is said first, whatever the verb."""
    warn_of_open([RunFolder(path)])
    return path


def _all_warned(path: Path) -> Path:
    """The path below which run folders are; what they have in a cloud is said first."""
    warn_of_open(runs_in_a_cloud(path))
    return path


RunPath = Annotated[
    Path, typer.Argument(help="A run folder.", show_default=False, callback=_warned)
]
RunsPath = Annotated[Path, typer.Argument(help="Where run folders are kept.", callback=_all_warned)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Profile = Annotated[str | None, typer.Option("--profile", help="The AWS profile.")]
Expected = Annotated[
    str | None,
    typer.Option(
        "--account", help="The account's number: refuse any other.", envvar="RAGTUNE_ACCOUNT"
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Override a field of cloud or promote."),
]
InstanceType = Annotated[
    str | None, typer.Option("--instance-type", help="To serve on; the model's default.")
]
AcceptEula = Annotated[
    bool, typer.Option("--accept-eula", help="You have read and accept the model's licence.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before it costs money.")]


class Lines:
    """A watcher that says each line on stderr, as it is: never wrapped, so it can be copied."""

    def say(self, line: str) -> None:
        """Print the line."""
        say(line)

    def progress(self, title: str) -> AbstractContextManager[Advance]:
        """Show nothing."""
        return nullcontext(lambda done, total: None)


def run_recipe(
    run: RunFolder,
    overrides: list[str] | None = None,
    allowed: tuple[str, ...] = ("cloud.", "promote."),
) -> "Recipe":
    """The run's recipe, with other values of sections that are no part of what was measured.

    Raises RecipeError for an override that would make it another recipe than the one measured,
    RunError where it was edited since the run.
    """
    from ragtune.core.errors import RecipeError
    from ragtune.recipe import file as recipe_file
    from ragtune.runs.open import recipe_of

    for override in overrides or ():
        if not override.startswith(allowed):
            raise RecipeError(
                f"--set {override}: the recipe that was measured is promoted as it is; "
                f"allowed: {', '.join(f'{section}*' for section in allowed)}"
            )
    measured = recipe_of(run.path)
    if not overrides:
        return measured
    return recipe_file.load(run.recipe, tuple(overrides)).at(measured.path(""))


def runs_with_a_job(runs: Path) -> list[RunFolder]:
    """The run folders below a folder from which a job was submitted."""
    from ragtune_cloud.folder import CloudFolder

    found = [RunFolder(path) for path in sorted(runs.glob("*/"))]
    return [run for run in found if CloudFolder(run).job.exists()]


def runs_in_a_cloud(runs: Path) -> list[RunFolder]:
    """The run folders below a folder that have, or had, anything in a cloud."""
    from ragtune_cloud.folder import CloudFolder

    found = [RunFolder(path) for path in sorted(runs.glob("*/"))]
    return [run for run in found if CloudFolder(run).path.is_dir()]


def warn_of_open(runs: "Iterable[RunFolder]") -> None:
    """Say what runs may still have in a cloud that costs money; nothing where they have none."""
    from ragtune.core.errors import CloudError
    from ragtune_cloud.ledger import Ledger

    for run in runs:
        try:
            entries = Ledger(run).open()
        except CloudError as error:
            say(f"warning: {error}")
            continue
        if costly := [entry for entry in entries if entry.hourly_usd is not None] or entries:
            told = "; ".join(map(str, costly))
            say(f"warning: may still be there: {told}; `ragtune cloud delete {run}` deletes it")


def say(line: Any) -> None:
    """Talk: to stderr, if anybody is there to hear it."""
    with suppress(OSError, ValueError):  # the terminal was closed; deleting goes on
        print(line, file=sys.stderr, flush=True)
