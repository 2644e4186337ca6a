"""The verbs over a recipe, before anything is run: init, check, preview."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ragtune.cli.options import AsJson, Offline, Overrides, RecipeFile, load_recipe
from ragtune.cli.output import print_result


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    for verb in (init, check, preview):
        app.command()(verb)


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write it; made where missing.")] = Path(),
    docs: Annotated[
        Path | None, typer.Option("--docs", help="Your folder of documents, or `contexts`.")
    ] = None,
    records: Annotated[
        Path | None, typer.Option("--records", help="Your records: a file, or a folder of them.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="The model to ask.", show_default="smollm2-reader"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a first recipe: for your records and documents, or with the demo's to begin with."""
    from ragtune.recipe import starter

    if records is not None:
        recipe, verb = starter.wrap(folder, records, docs, model), "check"
    elif docs is not None:
        recipe, verb = starter.around(folder, docs, model), "questions"
    else:
        recipe, verb = starter.write_starter(folder, model), "run"
    following = shlex.join(["ragtune", verb, str(recipe)])
    found = {"recipe": str(recipe), "next": following}
    print_result(found, f"{recipe} written; next: {following}", as_json)


def check(
    recipe_file: RecipeFile,
    overrides: Overrides = None,
    filled: Annotated[bool, typer.Option("--filled", help="Print every field.")] = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Train a little, and predict minutes and memory.")
    ] = False,
    offline: Offline = False,
    *,
    as_json: AsJson = False,
) -> None:
    """Check a recipe and all that it points at, without running anything."""
    from ragtune.runs import check as checks

    recipe = load_recipe(recipe_file, overrides, offline)
    found, prediction = checks.check(recipe, probe=probe)
    text = checks.show(recipe_file, found, prediction)
    if filled:
        found["filled"] = recipe.filled
        text = checks.show_filled(recipe, prediction)
    print_result(found, text, as_json)


def preview(
    recipe_file: RecipeFile,
    rows: Annotated[int, typer.Option("--rows", min=1, help="How many rows.")] = 2,
    overrides: Overrides = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Show training rows as the model reads them: text, tokens trained on, where blocks end."""
    from ragtune.runs.preview import preview_rows, show

    shown = preview_rows(load_recipe(recipe_file, overrides, offline), rows)
    print_result(shown, show(shown), as_json)
