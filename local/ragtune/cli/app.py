"""The command: one short function a verb.

Data goes to stdout, talk to stderr. Whatever is slow to import stays inside the verbs.
"""

import json
import os
import sys
import warnings
from enum import StrEnum
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragtune import __version__
from ragtune.core.errors import INTERRUPTED, RagtuneError, RecipeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragtune.core.progress import Watcher
    from ragtune.recipe.schema import Recipe
    from ragtune.runs.pipeline import Pipeline

app = typer.Typer(
    name="ragtune",
    help="RAG or fine-tuning? Measure it on your own data, on your own machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 done, 1 unexpected, 2 recipe or command line, 3 records or documents, "
    "4 model, 5 offline, 6 run folder, 7 cloud, 130 interrupted.",
)


class Precision(StrEnum):
    """What ``export`` can write."""

    bfloat16 = "bfloat16"
    float16 = "float16"


RecipeFile = Annotated[Path, typer.Argument(help="The recipe, a YAML file.", show_default=False)]
RunFolder = Annotated[Path, typer.Argument(help="A run folder.", show_default=False)]
Target = Annotated[Path, typer.Argument(help="A recipe or a run folder.", show_default=False)]
RunsFolder = Annotated[Path, typer.Option("--runs", help="Where run folders are kept.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Override a field, e.g. tune.epoch=2."),
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Refuse downloads and every connection but loopback.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ragtune {__version__}")
        raise typer.Exit


@app.callback()
def settings(
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback on errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Settings that hold for every verb."""
    if debug:
        os.environ["RAGTUNE_DEBUG"] = "1"


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where to write it; made where missing.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Write a first recipe with the demo's documents and records, to run and then to change."""
    from ragtune.recipe.starter import write_starter

    recipe = write_starter(folder)
    print_result({"recipe": str(recipe)}, f"{recipe} written; next: ragtune run {recipe}", as_json)


@app.command()
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
    from ragtune.runs import check as checking

    recipe = load_recipe(recipe_file, overrides, offline)
    found, prediction = checking.check(recipe, probe=probe)
    text = checking.show(recipe_file, found, prediction)
    if filled:
        found["filled"] = recipe.filled
        text = checking.show_filled(recipe, prediction)
    print_result(found, text, as_json)


@app.command()
def preview(
    recipe_file: RecipeFile,
    rows: Annotated[int, typer.Option("--rows", min=1, help="How many rows.")] = 2,
    overrides: Overrides = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Show training rows as the model reads them: text, tokens trained on, where blocks end."""
    from ragtune.runs.preview import preview_rows, show
    from ragtune.runs.workbench import Workbench

    shown = preview_rows(Workbench(load_recipe(recipe_file, overrides, offline), Path()), rows)
    print_result(shown, show(shown), as_json)


@app.command()
def run(
    recipe_file: RecipeFile,
    overrides: Overrides = None,
    runs: RunsFolder = Path("runs"),
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Tune, index, answer in every arm, and say what fits; goes on where it was stopped."""
    from ragtune.cli.terminal import Terminal
    from ragtune.results import table
    from ragtune.runs.pipeline import Pipeline
    from ragtune.runs.stage import Run

    recipe = load_recipe(recipe_file, overrides, offline)
    folder = runs / recipe.run_name
    with Terminal() as terminal:
        figures = Pipeline(recipe, Run(folder, terminal.say), terminal).execute()
    print_result(figures, table.render(figures), as_json)
    say(f"report: {folder / 'report.html'}")


@app.command()
def tune(
    recipe_file: RecipeFile,
    overrides: Overrides = None,
    runs: RunsFolder = Path("runs"),
    processes: Annotated[
        int, typer.Option("--processes", min=1, help="Share each step among so many processes.")
    ] = 1,
    offline: Offline = False,
    *,
    as_json: AsJson = False,
) -> None:
    """Only tune: the adapter of a run, and the losses of each epoch."""
    from ragtune.cli.terminal import Terminal
    from ragtune.results.losses import render
    from ragtune.runs.pipeline import Pipeline
    from ragtune.runs.stage import Run

    recipe = load_recipe(recipe_file, overrides, offline)
    folder = runs / recipe.run_name
    with Terminal() as terminal:
        training = Pipeline(recipe, Run(folder, terminal.say), terminal).tune(processes)
    print_result({"adapter": str(folder / "adapter"), **training}, render(training), as_json)
    say(f"adapter: {folder / 'adapter'}")


@app.command()
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
    from ragtune.runs import search as searching

    with Terminal() as terminal:
        pipeline = _pipeline(target, overrides, runs, offline, terminal)
        if status:
            found = searching.index_status(pipeline)
            print_result(found, searching.show_status(found), as_json)
            return
        held = pipeline.index(rebuild=rebuild)
    text = f"{held['run']}: {held['documents']} documents, {held['chunks']} chunks"
    print_result(held, text, as_json)


@app.command()
def search(
    target: Target,
    question: Annotated[str, typer.Argument(help="The question.", show_default=False)],
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
    from ragtune.runs import search as searching

    pipeline = _pipeline(target, overrides, runs, offline)
    with searching.made_run(pipeline):
        found = searching.search(pipeline.bench, question, top_k, mode, where or [])
    print_result(found, searching.show(found), as_json)


@app.command()
def ask(
    run_folder: RunFolder,
    question: Annotated[str, typer.Argument(help="The question.", show_default=False)],
    arm: Annotated[str, typer.Option("--arm", help="base, tuned, rag or tuned+rag.")] = "",
    as_json: AsJson = False,
) -> None:
    """Ask a finished run a question, by default in the arm that it recommends."""
    from ragtune.runs import ask as asking

    live = sys.stdout.isatty() and not as_json
    with _opened(run_folder) as pipeline:
        name, pieces = asking.ask(pipeline.bench, question, arm)
        if live:
            for piece in pieces:
                _write(piece)
            typer.echo()
        answer = asking.summary(name, question, pieces.answer)
    print_result(answer, asking.show(answer, with_text=not live), as_json)


@app.command()
def report(run_folder: RunFolder, as_json: AsJson = False) -> None:
    """Print a finished run's table and write its report anew."""
    from ragtune.results import table

    with _opened(run_folder) as pipeline:
        figures = pipeline.figures()
    print_result(figures, table.render(figures), as_json)
    say(f"report: {run_folder / 'report.html'}")


@app.command()
def export(
    run_folder: RunFolder,
    to: Annotated[
        Path | None, typer.Option("--to", help="Where to write it.", show_default="RUN/merged")
    ] = None,
    dtype: Annotated[
        Precision, typer.Option("--dtype", help="The 16 bits of its weights.")
    ] = Precision.bfloat16,
    as_json: AsJson = False,
) -> None:
    """Merge a run's adapter into its base: a folder that plain transformers loads."""
    folder = to or run_folder / "merged"
    with _opened(run_folder) as pipeline:
        drift = pipeline.bench.export(folder, dtype.value)
    print_result({"folder": str(folder), **vars(drift)}, f"{folder} written; {drift}", as_json)


def main() -> None:
    """Run the command; every error of ours is one line and an exit code of its own."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Threads that soon fall asleep: docs/design.md says what spinning costs on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    _plug_in()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries' advice to their developers
    try:
        app()
    except RagtuneError as error:
        if os.environ.get("RAGTUNE_DEBUG"):
            raise
        say(f"error: {error}" if "\n" not in str(error) else str(error))
        sys.exit(error.exit_code)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            say("interrupted; the same command goes on from here")
        raise
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if os.environ.get("RAGTUNE_DEBUG"):
            raise
        reason = (str(error).splitlines() or [""])[0]
        say(f"unexpected error: {type(error).__name__}: {reason}; --debug shows where")
        sys.exit(1)


def _plug_in() -> None:
    """Add the verbs over several runs, and those of other packages.

    A package that is broken costs a line, not the command.
    """
    from ragtune.cli import several as cli_runs

    cli_runs.register(app)
    for entry in entry_points(group="ragtune.commands"):
        try:
            entry.load()(app)
        except ImportError as error:
            say(f"warning: the verbs of {entry.name} are missing: {error}")


def load_recipe(recipe_file: Path, overrides: list[str] | None, offline: bool) -> "Recipe":
    """Read the recipe; close the network unless it names something on a hub."""
    from ragtune.recipe import file as files

    recipe = files.load(recipe_file, tuple(overrides or ()))
    close_network([recipe], offline)
    return recipe


def close_network(recipes: "Sequence[Recipe]", offline: bool) -> None:
    """Refuse connections unless one of the recipes names something on a hub and may fetch it."""
    from ragtune.core import offline as guard

    if offline or guard.is_offline() or not any(recipe.hub_ids for recipe in recipes):
        guard.go_offline()
    for url in {recipe.rag.qdrant for recipe in recipes}:
        if not offline and url.startswith("http"):
            guard.permit(url)


def _pipeline(
    target: Path,
    overrides: list[str] | None,
    runs: Path,
    offline: bool,
    watcher: "Watcher | None" = None,
) -> "Pipeline":
    """The pipeline of a run folder, or of the one that a recipe would run in."""
    from ragtune.runs.pipeline import Pipeline, open_run
    from ragtune.runs.stage import Run

    if target.is_dir():
        if overrides:
            raise RecipeError("--set goes with a recipe; a run folder is what its recipe made it")
        pipeline = open_run(target, watcher)
        close_network([pipeline.recipe], offline)
        return pipeline
    recipe = load_recipe(target, overrides, offline)
    say = watcher.say if watcher else lambda line: None
    return Pipeline(recipe, Run(runs / recipe.run_name, say), watcher)


def _opened(run_folder: Path) -> Any:
    """The pipeline of a finished run, its folder taken while the context lasts."""
    from contextlib import contextmanager

    @contextmanager
    def opened() -> Any:
        from ragtune.runs.pipeline import open_run

        pipeline: Pipeline = open_run(run_folder)
        close_network([pipeline.recipe], offline=False)
        with pipeline.run:
            yield pipeline

    return opened()


def print_result(data: Any, text: Any, as_json: bool) -> None:
    """Print a verb's result on stdout: as JSON, or as text or whatever rich can draw."""
    if as_json:
        typer.echo(json.dumps(data, indent=1, ensure_ascii=False))
    elif isinstance(text, str):
        typer.echo(text)
    else:
        from rich.console import Console

        Console(soft_wrap=False).print(text)


def _write(text: str) -> None:
    typer.echo(text, nl=False)
    sys.stdout.flush()


def say(line: str) -> None:
    """Print a line on stderr."""
    typer.echo(line, err=True)
