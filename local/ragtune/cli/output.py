"""What the command prints: data on stdout, talk on stderr."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

import typer

from ragtune.core.text.shortening import printable, shortened_lines


def open_streams() -> None:
    """Open what is closed of the standard streams on the null device.

    Else the next files that are opened get their numbers, and whatever a library prints is written
    into one of these.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


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
    """Print a verb's result on stdout: as JSON, or as text or whatever rich can draw.

    Text has nothing that would steer a terminal. Who stops reading, as ``head`` does, has what they
    wanted.
    """
    with _until_closed():
        if as_json:
            plain = not (sys.stdout.encoding or "").lower().startswith("utf")
            typer.echo(json.dumps(data, indent=1, ensure_ascii=plain))
        elif isinstance(text, str):
            typer.echo(printable(text))
        else:
            from rich.console import Console

            console = Console(soft_wrap=False)
            console.on_broken_pipe = _raise_again  # type: ignore[method-assign]  # it would exit
            console.print(text)


def write(text: str) -> None:
    """Print a piece of text on stdout, at once."""
    with _until_closed():
        typer.echo(text, nl=False)
        sys.stdout.flush()


def say(line: str) -> None:
    """Print a line on stderr, or several, each shortened where somebody's data made it long.

    A stream that takes nothing, such as a file on a full disk, does not change what is done.
    """
    try:
        typer.echo(shortened_lines(line), err=True)
    except OSError:
        _let_go(sys.stderr)


class Talk:
    """A stream for talk: once it takes nothing any more, it is told nothing, and the work goes on.

    It is to be used as the stream that it is made of.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, if that is possible."""
        with self._lenient():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, if that is possible."""
        with self._lenient():
            self._stream.flush()

    @contextlib.contextmanager
    def _lenient(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            _let_go(self._stream)


@contextlib.contextmanager
def _until_closed() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        _let_go(sys.stdout)


def _raise_again() -> None:
    raise  # noqa: PLE0704  # rich calls it where it caught what is raised


def _let_go(stream: TextIO) -> None:
    """Lead a stream to the null device: what is left in it would be an error at the end."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
