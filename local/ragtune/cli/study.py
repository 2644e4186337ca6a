"""The verbs that make a run and show it: run, tune, report, export."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ragtune.cli.options import (
    AsJson,
    Details,
    Offline,
    Overrides,
    RecipeFile,
    RunFolder,
    RunsFolder,
    load_recipe,
    open_run,
)
from ragtune.cli.output import print_result, say
from ragtune.core import run_folder as paths


class Precision(StrEnum):
    """What ``export`` can write."""

    bfloat16 = "bfloat16"
    float16 = "float16"


class Packed(StrEnum):
    """What ``export --gguf`` can write."""

    f16 = "f16"
    q8_0 = "q8_0"
    lora = "lora"


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    for verb in (run, tune, report, export):
        app.command()(verb)


def run(
    recipe_file: RecipeFile,
    overrides: Overrides = None,
    runs: RunsFolder = Path("runs"),
    offline: Offline = False,
    *,
    details: Details = False,
    as_json: AsJson = False,
) -> None:
    """Tune, index, answer in every arm, and say what fits; goes on where it was stopped."""
    from ragtune.cli.terminal import Terminal
    from ragtune.results import table
    from ragtune.runs.pipeline import Pipeline

    recipe = load_recipe(recipe_file, overrides, offline)
    folder = runs / recipe.run_name
    with Terminal() as terminal:
        results = Pipeline(recipe, folder, terminal).execute()
    print_result(results.to_json(), table.render(results, details=details), as_json)
    say(f"report: {folder / 'report.html'}")


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
    """Only tune: the adapters of a run, and the losses of each epoch."""
    from ragtune.cli.terminal import Terminal
    from ragtune.results.losses import render
    from ragtune.results.schema import Training
    from ragtune.runs.pipeline import Pipeline

    recipe = load_recipe(recipe_file, overrides, offline)
    folder = paths.RunFolder(runs / recipe.run_name)
    with Terminal() as terminal:
        trained = Pipeline(recipe, folder.path, terminal).tune(processes)
    shown = "\n".join(render(Training.model_validate(one), name) for name, one in trained.items())
    found = {
        name: {"adapter": str(folder.adapter(name)), **training}
        for name, training in trained.items()
    }
    print_result(found, shown, as_json)
    for name in trained:
        say(f"adapter: {folder.adapter(name)}")


def report(
    run_folder: RunFolder,
    details: Details = False,
    offline: Offline = False,
    *,
    as_json: AsJson = False,
) -> None:
    """Print a finished run's table and write its report again."""
    from ragtune.results import table

    with open_run(run_folder, offline=offline) as opened:
        results = opened.report() if opened.alone else opened.figures
    print_result(results.to_json(), table.render(results, details=details), as_json)
    again = "" if opened.alone else ", as it was: the folder cannot be written"
    say(f"report: {run_folder / 'report.html'}{again}")


def export(
    run_folder: RunFolder,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="Where to write it.", show_default="RUN/merged or RUN/gguf"),
    ] = None,
    dtype: Annotated[
        Precision, typer.Option("--dtype", help="The 16 bits of its weights.")
    ] = Precision.bfloat16,
    arm: Annotated[
        str, typer.Option("--arm", help="Whose adapter.", show_default="the recommended arm's")
    ] = "",
    *,
    gguf: Annotated[
        Packed | None,
        typer.Option(
            "--gguf",
            help="One file for llama.cpp and Ollama instead: the merged model in 16 or 8 bits, or "
            "the adapter alone.",
        ),
    ] = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Merge a run's adapter into its base: a folder for transformers and vLLM, or a GGUF."""
    folder = to or run_folder / ("gguf" if gguf else "merged")
    with open_run(run_folder, offline=offline) as opened:
        drift = opened.export(folder, dtype.value, arm, gguf=gguf.value if gguf else "")
    said = {"folder": str(folder), **(vars(drift) if drift else {})}
    print_result(said, f"{folder} written{f'; {drift}' if drift else ''}", as_json)
