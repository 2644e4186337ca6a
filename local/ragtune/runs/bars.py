"""A watcher for notebooks and scripts: a bar for each piece of work, a line for what is said."""

from collections.abc import Iterator
from contextlib import contextmanager

from tqdm.auto import tqdm

from ragtune.core.progress import Advance


class Bars:
    """Widgets where a notebook has them, else text on stderr."""

    def say(self, line: str) -> None:
        """Write a line between the bars."""
        tqdm.write(line)

    @contextmanager
    def progress(self, title: str) -> Iterator[Advance]:
        """Show a bar until the context ends."""
        with tqdm(desc=title, leave=False) as bar:

            def advance(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            yield advance
