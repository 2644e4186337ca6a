"""The verb that asks a run: ask."""

import sys
from typing import Annotated

import typer

from ragtune.cli.options import AsJson, Question, RunFolder, open_run
from ragtune.cli.output import print_result, write


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(ask)


def ask(
    run_folder: RunFolder,
    question: Question,
    arm: Annotated[str, typer.Option("--arm", help="base, tuned, rag or tuned+rag.")] = "",
    as_json: AsJson = False,
) -> None:
    """Ask a finished run a question, by default in the arm that it recommends."""
    from ragtune.cli.terminal import Terminal
    from ragtune.runs.ask import show

    live = sys.stdout.isatty() and not as_json
    with open_run(run_folder, Terminal(), alone=False) as opened:
        name = opened.arm_name(arm)
        stream = opened.stream(question, name)
        if live:
            for piece in stream:
                write(piece)
            typer.echo()
        answer = opened.summary(name, question, stream.answer)
    print_result(answer, show(answer, with_text=not live), as_json)
