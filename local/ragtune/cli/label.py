"""The verb that asks a person: label."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ragtune.cli.options import AsJson, RunFolder, open_run
from ragtune.cli.output import print_result, say

if TYPE_CHECKING:
    from ragtune.runs.label import Drawn, Key

KEYS = "y right, n wrong, s skip, q stop"


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(label)


def label(
    run_folder: RunFolder,
    count: Annotated[int, typer.Option("--count", min=1, help="How many answers.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Mark answers as right or wrong by hand, and see how far the report agrees with you."""
    from ragtune.results import table
    from ragtune.runs import label as labelling

    with open_run(run_folder) as opened:
        shown = opened.recipe.records.context == "input"
        drawn = labelling.draw(opened.figures, opened.folder, count)

        def ask(one: "Drawn", number: int, of: int) -> "Key":
            _show(one, number, of, with_input=shown)
            return _key()

        labelling.label(opened.folder, drawn, ask)
        agreed = opened.report().agreement
    if agreed is None:
        say("nothing marked; the same command goes on from here")
        return
    print_result(agreed.to_json(), table.agreement(agreed), as_json)
    say(f"report: {run_folder / 'report.html'}")


def _show(one: "Drawn", number: int, of: int, *, with_input: bool) -> None:
    say(f"\n{number} of {of}\nQuestion:  {one.question.instruction}")
    if with_input and one.question.context:
        say(f"Input:     {one.question.context}")
    say(f"Reference: {one.question.response}")
    say(f"Answer:    {one.answer or '(nothing)'}")


def _key() -> "Key":
    """The next key that means something; a line's first letter where there is no terminal."""
    from typing import get_args

    from ragtune.runs.label import Key

    keys: tuple[Key, ...] = get_args(Key)
    while True:
        typer.echo(f"right? ({KEYS}) ", nl=False, err=True)
        letter = _letter()
        for key in keys:
            if letter == key:
                say(key)
                return key
        say(f"{letter!r} is none of them")


def _letter() -> str:
    if sys.stdin.isatty():
        import click

        return click.getchar().lower()
    line = sys.stdin.readline()
    return line.strip()[:1].lower() if line else "q"
