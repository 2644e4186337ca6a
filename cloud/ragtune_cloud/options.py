"""What the cloud verbs share: their options, the run's recipe, the account."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ragtune.recipe.schema import Recipe
    from ragtune_cloud.account import Account

RunFolder = Annotated[Path, typer.Argument(help="A run folder.", show_default=False)]
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


def run_recipe(run_folder: Path, overrides: list[str] | None) -> "Recipe":
    """The run's recipe, with another ``cloud`` or ``promote`` part where that was said.

    Raises RecipeError for an override that would make it another recipe than the one measured.
    """
    from ragtune.core.errors import RecipeError
    from ragtune.core.files import read_json
    from ragtune.recipe import file as recipe_file

    lock = read_json(run_folder / "lock.json")
    for override in overrides or ():
        if not override.startswith(("cloud.", "promote.")):
            raise RecipeError(
                f"--set {override}: the recipe that was measured is promoted as it is; "
                "allowed: cloud.*, promote.*"
            )
    recipe = recipe_file.load(run_folder / "recipe.yaml", tuple(overrides or ()))
    return recipe.at(run_folder / lock["recipe_folder"])


def open_account(region: str, profile: str | None, expected: str | None) -> "Account":
    """The account by the person's credentials.

    Raises CloudError where it is another than expected.
    """
    from ragtune_cloud.account import Account

    account = Account(region, profile)
    account.expect(expected)
    return account


def say(line: Any) -> None:
    """Talk: to stderr."""
    print(line, file=sys.stderr, flush=True)
