"""The cloud verbs, plugged into the ``ragtune`` command through its entry-point group."""

import json
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    app.command()(promote)


def promote(
    run_folder: Annotated[Path, typer.Argument(help="A run folder.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Show what a run's recipe becomes on SageMaker JumpStart; nothing is sent or spent."""
    from cloud.plan import plan, show
    from local.pipeline import open_run

    planned = plan(open_run(run_folder).recipe, run_folder)
    typer.echo(json.dumps(planned, indent=1) if as_json else show(planned))
