"""The server of a run: ready once its session is, closed with it."""

import socket
from collections.abc import Callable

from ragtune.serve.app import application
from ragtune.serve.guard import Access
from ragtune.serve.listening import Server, serving
from ragtune.serve.session import Session


def server(session: Session, allowed: Access) -> Server:
    """A server for a session; ``run(sockets=[…])`` serves until it is stopped."""
    return serving(application(session, allowed))


def serve(
    session: Session, listening: socket.socket, allowed: Access, ready: Callable[[], None]
) -> None:
    """Load, say that it is ready, and serve until Ctrl-C or SIGTERM; then close everything.

    Raises RagtuneError where what is served cannot be used.
    """
    try:
        session.start()
        ready()
        server(session, allowed).run(sockets=[listening])
    finally:
        listening.close()
        session.close()
