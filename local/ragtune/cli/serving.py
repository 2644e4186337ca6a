"""The verb that shows a run to others: serve."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from ragtune.cli.options import Offline, RunFolder, close_network
from ragtune.cli.output import print_result
from ragtune.core.errors import OfflineError


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(serve)


def serve(
    run_folder: RunFolder,
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free one.")] = 8080,
    host: Annotated[
        str,
        typer.Option("--host", help="Another address than loopback: who asks needs the token."),
    ] = "127.0.0.1",
    arms: Annotated[
        list[str] | None,
        typer.Option("--arm", help="An arm to serve; may be repeated.", show_default="all"),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Index documents that change, without being asked.")
    ] = False,
    queue: Annotated[
        int, typer.Option("--queue", min=1, help="Questions that wait; more are sent away.")
    ] = 64,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, help="How long a question may take, with waiting.")
    ] = 120,
    token: Annotated[
        str,
        typer.Option("--token", help="The token, instead of a new one.", envvar="RAGTUNE_TOKEN"),
    ] = "",
    offline: Offline = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say the address as JSON.")] = False,
) -> None:
    """Show a finished run: a page that asks its arms, and an API as OpenAI's."""
    from ragtune.cli.terminal import Terminal
    from ragtune.runs.open import recipe_of
    from ragtune.serve import listening, server
    from ragtune.serve.job import Limits
    from ragtune.serve.session import Session

    if offline and not listening.is_loopback(host):
        raise OfflineError(f"--host {host}: others could reach it; leave out --host or --offline")
    if not token and not listening.is_loopback(host):
        token = secrets.token_urlsafe(24)
    allowed = listening.access(host, token)
    close_network([recipe_of(run_folder)], offline)
    terminal = Terminal()
    session = Session(
        Path(run_folder),
        arms=arms or (),
        limits=Limits(queue=queue, seconds=seconds),
        watch=2.0 if watch else 0.0,
        watcher=terminal,
    )
    try:
        taken = listening.bound(host, port)
    except BaseException:
        session.close()
        raise

    def ready() -> None:
        page = listening.address(taken, token)
        said = {"page": page, "api": f"{listening.address(taken)}v1", "token": token}
        lines = [f"page: {page}", f"API:  {said['api']}"]
        if token:
            lines.append(f"token: {token}  (Authorization: Bearer …)")
        print_result(said, "\n".join(lines), as_json)
        terminal.say(f"serving {', '.join(session.arms)}; Ctrl-C stops")

    server.serve(session, taken, allowed, ready)
    terminal.say("stopped")
