"""What the command prints: data on stdout, talk on stderr."""

import contextlib
import json
import sys
from typing import Any

import typer

from ragtune.core.text.shortening import shortened_lines


def never_refuse() -> None:
    """Write letters that the streams' encoding does not have as escapes, from now on.

    A terminal of ASCII alone ended a finished run in an error at the first dash of its table.
    """
    for stream, errors in (
        (sys.stdout, "backslashreplace"),
        (sys.stderr, "backslashreplace"),
        (sys.stdin, "replace"),
    ):
        if hasattr(stream, "reconfigure"):  # a notebook's own streams have it not
            stream.reconfigure(errors=errors)


def print_result(data: Any, text: Any, as_json: bool) -> None:
    """Print a verb's result on stdout: as JSON, or as text or whatever rich can draw."""
    if as_json:
        plain = not (sys.stdout.encoding or "").lower().startswith("utf")
        typer.echo(json.dumps(data, indent=1, ensure_ascii=plain))
    elif isinstance(text, str):
        typer.echo(text)
    else:
        from rich.console import Console

        Console(soft_wrap=False).print(text)


def write(text: str) -> None:
    """Print a piece of text on stdout, at once."""
    typer.echo(text, nl=False)
    sys.stdout.flush()


def say(line: str) -> None:
    """Print a line on stderr, or several, each shortened where somebody's data made it long.

    A stream that takes nothing, such as a file on a full disk, does not change what is done.
    """
    with contextlib.suppress(OSError):
        typer.echo(shortened_lines(line), err=True)
