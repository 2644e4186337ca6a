"""The verbs over an index: index, search."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ragtune.cli.options import (
    AsJson,
    Offline,
    Overrides,
    Question,
    RunsFolder,
    Target,
    close_network,
    load_recipe,
    open_run,
)
from ragtune.cli.output import print_result
from ragtune.core.errors import RecipeError, RunError

if TYPE_CHECKING:
    from ragtune.core.progress import Watcher
    from ragtune.runs.pipeline import Pipeline


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    for verb in (index, search):
        app.command()(verb)


def index(
    target: Target,
    *,
    status: Annotated[bool, typer.Option("--status", help="Only say what is stale.")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Throw away what is there.")] = False,
    overrides: Overrides = None,
    runs: RunsFolder = Path("runs"),
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Bring the index up to date: only documents that changed are made again."""
    from ragtune.cli.terminal import Terminal
    from ragtune.runs import search as searches

    with Terminal() as terminal:
        pipeline = _pipeline(target, overrides, runs, offline, terminal)
        if status:
            found = searches.index_status(pipeline.recipe, pipeline.materials, pipeline.run.folder)
            print_result(found, searches.show_status(found), as_json)
            return
        held = pipeline.index(rebuild=rebuild)
    text = f"{held['run']}: {held['documents']} documents, {held['chunks']} chunks"
    print_result(held, text, as_json)


def search(
    target: Target,
    question: Question,
    *,
    top_k: Annotated[int | None, typer.Option("--top-k", min=1, help="How many passages.")] = None,
    mode: Annotated[str, typer.Option("--mode", help="dense, keyword or hybrid.")] = "",
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="FIELD=VALUE", help="Only these, e.g. document=a.md."),
    ] = None,
    overrides: Overrides = None,
    runs: RunsFolder = Path("runs"),
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Find passages without asking a model: score, document, page or heading, text."""
    from ragtune.runs import search as searches

    folder = target
    if not target.is_dir():
        folder = runs / load_recipe(target, overrides, offline).run_name
        if not folder.is_dir():
            raise RunError(f"{folder}: no index there yet; `ragtune index RECIPE` makes it")
    elif overrides:
        raise _no_overrides()
    with open_run(folder, offline=offline, alone=False) as opened:
        found = opened.search(question, top_k, mode, where or [])
    print_result([asdict(passage) for passage in found], searches.show(found), as_json)


def _pipeline(
    target: Path,
    overrides: list[str] | None,
    runs: Path,
    offline: bool,
    watcher: "Watcher",
) -> "Pipeline":
    """The pipeline of a run folder, or of the one that a recipe would run in."""
    from ragtune.runs.open import recipe_of
    from ragtune.runs.pipeline import Pipeline

    if target.is_dir():
        if overrides:
            raise _no_overrides()
        recipe = recipe_of(target)
        close_network([recipe], offline)
        return Pipeline(recipe, target, watcher)
    recipe = load_recipe(target, overrides, offline)
    return Pipeline(recipe, runs / recipe.run_name, watcher)


def _no_overrides() -> RecipeError:
    return RecipeError("--set goes with a recipe; a run folder is what its recipe made it")
