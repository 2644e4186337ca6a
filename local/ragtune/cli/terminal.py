"""A watcher that shows a person how the job goes: lines and a progress bar, on stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ragtune.cli.output import Talk
from ragtune.core.progress import Advance
from ragtune.core.text.shortening import shortened_lines


class Terminal:
    """Lines as they come; a bar for the piece of work in hand, only where there is a terminal."""

    def __init__(self) -> None:
        self.console = Console(file=cast(TextIO, Talk(sys.stderr)), highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )

    def __enter__(self) -> "Terminal":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self.console.print(shortened_lines(line), markup=False)

    @contextmanager
    def progress(self, title: str) -> Iterator[Advance]:
        """Show a bar until the context ends."""
        task = self._progress.add_task(title, total=None)
        try:
            yield lambda done, total: self._progress.update(task, completed=done, total=total)
        finally:
            self._progress.remove_task(task)
