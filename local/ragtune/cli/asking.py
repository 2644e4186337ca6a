"""The verb that asks a run: ask."""

import contextlib
import sys
from typing import Annotated

import typer

from ragtune.cli.options import AsJson, Offline, RunFolder, open_run
from ragtune.cli.output import print_result, write
from ragtune.core.errors import RecipeError
from ragtune.core.startup import starting


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(ask)


def ask(
    run_folder: RunFolder,
    question: Annotated[
        str | None, typer.Argument(help="The question; without one, a prompt.", show_default=False)
    ] = None,
    arm: Annotated[str, typer.Option("--arm", help="base, tuned, rag or tuned+rag.")] = "",
    offline: Offline = False,
    *,
    as_json: AsJson = False,
) -> None:
    """Ask a finished run a question, by default in the arm that it recommends.

    Without a question: a prompt for many, with one load. /arm rag asks another arm, /sources
    shows the last answer's passages, /quit ends.
    """
    if question is None:
        if as_json:
            raise RecipeError("--json goes with a question")
        from ragtune.cli.prompt import prompt
        from ragtune.cli.terminal import Terminal

        with open_run(run_folder, Terminal(), offline, alone=False) as opened:
            prompt(opened, arm)
        return
    live = sys.stdout.isatty() and not as_json
    with contextlib.ExitStack() as stack:
        with starting():
            from ragtune.cli.terminal import Terminal
            from ragtune.runs.ask import show

            opened = stack.enter_context(open_run(run_folder, Terminal(), offline, alone=False))
            name = opened.arm_name(arm)
            stream = opened.stream(question, name)
        if live:
            for piece in stream:
                write(piece)
            typer.echo()
        answer = opened.summary(name, question, stream.answer)
        print_result(answer, show(answer, with_text=not live), as_json)
