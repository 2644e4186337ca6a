"""One reviewer a file: who has it, and the line that others are told."""

import contextlib
import getpass
import os
import socket
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ragtune.core import system
from ragtune.core.errors import RunError


def user() -> str:
    """The user's name, as the system knows it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name, as in some containers
        return "unknown"


class Holding:
    """A questions file that this process reviews, until it is closed."""

    def __init__(self, file: Path) -> None:
        """Take it.

        Raises RunError, naming who has it, where somebody does, and where it cannot be taken.
        """
        file = file.resolve()
        self._owner = file.with_name(f".{file.name}.reviewer")
        self._lock = FileLock(file.with_name(f".{file.name}.lock"), thread_local=False)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise RunError(f"{file}: in review by {self._who()}; one at a time") from None
        except (OSError, NotImplementedError) as error:
            raise system.explain(error) or RunError(f"{file}: cannot be taken: {error}") from None
        self.sign()

    def sign(self, address: str = "") -> None:
        """Say who has it, since when, and at which address."""
        at = f", at {address}" if address else ""
        told = (
            f"{user()} on {socket.gethostname()} (process {os.getpid()}, since "
            f"{datetime.now().astimezone():%H:%M}{at})"
        )
        with contextlib.suppress(OSError):  # only the line for others would be poorer
            self._owner.write_text(told, encoding="utf-8")

    def _who(self) -> str:
        try:
            return self._owner.read_text(encoding="utf-8").strip() or "somebody"
        except (OSError, UnicodeDecodeError):
            return "somebody"

    def close(self) -> None:
        """Give it back."""
        with contextlib.suppress(OSError):
            self._owner.unlink(missing_ok=True)
        self._lock.release()
