"""The command: its verbs, its exit codes, and the verbs of other packages.

Data goes to stdout, talk to stderr. Whatever is slow to import stays inside the verbs.
"""

import os
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Annotated

import typer

from ragtune import __version__
from ragtune.cli import (
    asking,
    label,
    questions,
    recipes,
    retrieval,
    review,
    serving,
    several,
    study,
)
from ragtune.cli.output import never_refuse, open_streams, say
from ragtune.core import system
from ragtune.core.errors import INTERRUPTED, RagtuneError
from ragtune.core.secrets import hidden

app = typer.Typer(
    name="ragtune",
    help="RAG or fine-tuning? Measure it on your own data, on your own machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 done, 1 unexpected, 2 recipe or command line, 3 records or documents, "
    "4 model, 5 offline, 6 run folder, 7 cloud, 130 interrupted.",
)
for group in (recipes, study, retrieval, asking, serving, label, questions, review, several):
    group.register(app)


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


def main() -> None:
    """Run the command; every error of ours is one line and an exit code of its own."""
    open_streams()
    never_refuse()
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Threads that soon fall asleep: docs/design.md says what spinning costs on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    if not _is_own(sys.argv[1:]):
        _plug_in()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries' advice to their developers
    try:
        app()
    except RagtuneError as error:
        if os.environ.get("RAGTUNE_DEBUG"):
            raise
        told = hidden(str(error))
        say(f"error: {told}" if "\n" not in told else told)
        sys.exit(error.exit_code)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            say("interrupted; the same command goes on from here")
        raise
    except Exception as error:
        if os.environ.get("RAGTUNE_DEBUG"):
            raise
        if (known := system.explain(error)) is not None:
            say(f"error: {hidden(str(known))}")
            sys.exit(known.exit_code)
        reason = hidden((str(error).splitlines() or [""])[0])
        say(f"unexpected error: {type(error).__name__}: {reason}; --debug shows where")
        sys.exit(1)


def _is_own(arguments: Sequence[str]) -> bool:
    """Whether the verb is known without other packages, whose import half a second goes to."""
    verb = next((a for a in arguments if not a.startswith("-")), None)
    names = [c.name or getattr(c.callback, "__name__", "") for c in app.registered_commands]
    return verb in {name.replace("_", "-") for name in names}


def _plug_in() -> None:
    """Add the verbs of other packages; one that is broken costs a line, not the command."""
    for entry in entry_points(group="ragtune.commands"):
        try:
            entry.load()(app)
        except ImportError as error:
            say(f"warning: the verbs of {entry.name} are missing: {error}")
