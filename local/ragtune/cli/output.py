"""What the command prints: data on stdout, talk on stderr."""

import json
import sys
from typing import Any

import typer


def print_result(data: Any, text: Any, as_json: bool) -> None:
    """Print a verb's result on stdout: as JSON, or as text or whatever rich can draw."""
    if as_json:
        typer.echo(json.dumps(data, indent=1, ensure_ascii=False))
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
    """Print a line on stderr."""
    typer.echo(line, err=True)
