"""The verbs over several runs: compare and sweep."""

from pathlib import Path
from typing import Annotated

import typer

from ragtune.cli.options import (
    AsJson,
    Offline,
    Overrides,
    RecipeFile,
    RunsFolder,
    close_network,
)
from ragtune.cli.output import print_result, say


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    app.command()(compare)
    app.command()(sweep)


def compare(
    run_folders: Annotated[
        list[Path], typer.Argument(help="Two run folders or more.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Say what differs between finished runs: in their recipes, and in their figures."""
    from ragtune.runs import compare as comparing

    found = comparing.compare(run_folders)
    print_result(found.to_json(), comparing.show(found), as_json)


def sweep(
    recipe_file: RecipeFile,
    over: Annotated[
        list[str],
        typer.Option("--over", metavar="FIELD=VALUE,…", help="Try these values of a field."),
    ],
    *,
    trials: Annotated[
        int | None,
        typer.Option("--trials", min=1, help="Let Optuna choose so many of the combinations."),
    ] = None,
    arm: Annotated[
        str, typer.Option("--arm", help="The arm whose F1 counts.", show_default="the best")
    ] = "",
    overrides: Overrides = None,
    runs: RunsFolder = Path("runs"),
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Try combinations on a part of the training records, then run the best on the questions."""
    from ragtune.cli.terminal import Terminal
    from ragtune.runs import sweep as sweeping

    choices = sweeping.grid(over)
    with Terminal() as terminal:
        swept = sweeping.Sweep(recipe_file, overrides or (), runs, terminal, arm)
        close_network([swept.recipe, *swept.candidates(choices)], offline)
        found = swept.run(choices, trials)
    print_result(found, sweeping.show(found), as_json)
    say(f"report: {Path(found['run']) / 'report.html'}")
