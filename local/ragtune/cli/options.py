"""Arguments and options that several verbs have, and what they lead to."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragtune.cli.output import say
from ragtune.core.errors import RecipeError
from ragtune.core.system import is_writable

if TYPE_CHECKING:
    from ragtune.core.progress import Watcher
    from ragtune.recipe.schema import Recipe
    from ragtune.runs.open import OpenRun

RecipeFile = Annotated[Path, typer.Argument(help="The recipe, a YAML file.", show_default=False)]
RunFolder = Annotated[Path, typer.Argument(help="A run folder.", show_default=False)]
Target = Annotated[Path, typer.Argument(help="A recipe or a run folder.", show_default=False)]


def _of_letters(question: str | None) -> str | None:
    """The question; bytes that the terminal's encoding does not have are half characters in it."""
    if any("\ud800" <= letter <= "\udfff" for letter in question or ""):
        raise RecipeError("QUESTION: holds bytes that are no text in this terminal's encoding")
    return question


Question = Annotated[
    str, typer.Argument(help="The question.", show_default=False, callback=_of_letters)
]
RunsFolder = Annotated[Path, typer.Option("--runs", help="Where run folders are kept.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Override a field, e.g. tune.epoch=2."),
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Refuse downloads and every connection but loopback.")
]
Details = Annotated[
    bool, typer.Option("--details", help="Print every figure and the reasons for the verdict.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def load_recipe(recipe_file: Path, overrides: list[str] | None, offline: bool) -> "Recipe":
    """Read and fill the recipe; close the network first, unless it names something on a hub."""
    from ragtune.recipe import file
    from ragtune.runs import defaults

    recipe = file.load(recipe_file, tuple(overrides or ()))
    close_network([recipe], offline)
    return defaults.fill(recipe)


def close_network(recipes: "Sequence[Recipe]", offline: bool) -> None:
    """Refuse connections unless one of the recipes names something on a hub and may fetch it.

    With ``offline`` the kernel refuses them too, where it can; where it cannot, that is said.
    """
    from ragtune.core import offline as guard

    if offline or guard.is_offline() or not any(recipe.hub_ids for recipe in recipes):
        guard.go_offline()
    if offline:
        if missing := guard.seal():
            say(f"offline: only what Python connects is refused, for {missing}")
        return
    for url in {url for r in recipes for url in (r.rag.qdrant, r.model.engine)}:
        if url.startswith("http"):
            guard.permit(url)


def open_run(
    folder: Path, watcher: "Watcher | None" = None, offline: bool = False, *, alone: bool = True
) -> "OpenRun":
    """Open a run folder, the network closed unless its recipe names something on a hub."""
    from ragtune.runs.open import open_run as opened

    run = opened(folder, watcher, alone=alone and is_writable(folder))
    try:  # nothing was connected to yet: models and index are opened at the first question
        close_network([run.recipe], offline)
    except BaseException:
        run.close()
        raise
    return run
