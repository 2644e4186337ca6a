"""The verb that asks a person: label."""

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        with _keyboard() as letter:

            def ask(one: "Drawn", number: int, of: int) -> "Key":
                _show(one, number, of, with_input=shown)
                return _key(letter)

            labelling.label(opened.folder, drawn, ask)
        agreed = opened.report().agreement
    if agreed is None:
        say("nothing marked; the same command goes on from here")
        return
    print_result(agreed.to_json(), table.agreement(agreed), as_json)
    say(f"report: {run_folder / 'report.html'}")


def _show(one: "Drawn", number: int, of: int, *, with_input: bool) -> None:
    say(f"\n{number} of {of}\nQuestion:  {one.question.instruction}")
    if own := one.question.own(with_context=with_input):
        say(f"Input:     {own}")
    for reference in (one.question.response, *one.question.other_responses):
        say(f"Reference: {reference}")
    say(f"Answer:    {one.answer or '(nothing)'}")


def _key(letter: Callable[[], str]) -> "Key":
    """The next key that means something."""
    from typing import get_args

    from ragtune.runs.label import Key

    keys: tuple[Key, ...] = get_args(Key)
    while True:
        typer.echo(f"right? ({KEYS}) ", nl=False, err=True)
        given = letter()
        for key in keys:
            if given == key:
                say(key)
                return key
        say(f"{given!r} is none of them")


@contextmanager
def _keyboard() -> Iterator[Callable[[], str]]:
    """Gives one key after the other; the first letters of lines where there is no terminal.

    The end of the input is `q`. Keys that are pressed ahead are kept.
    """
    if not sys.stdin.isatty():
        yield _first_letter
        return
    if sys.platform == "win32":
        import msvcrt

        yield lambda: msvcrt.getwch().lower()
        return
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSANOW)
    try:
        yield lambda: _pressed(_read(terminal))
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _read(terminal: int) -> bytes:
    """The next byte; a Ctrl-C that comes just before the wait is noticed too."""
    while not select.select([terminal], [], [], 0.2)[0]:
        pass
    return os.read(terminal, 1)


def _first_letter() -> str:
    return (sys.stdin.readline() or "q").strip()[:1].lower()


def _pressed(byte: bytes) -> str:
    return byte.decode(errors="replace").lower() if byte not in (b"", b"\x04") else "q"
