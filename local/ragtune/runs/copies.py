"""The copies that a process which has a run open makes of its indexes, and their end."""

import functools
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ragtune.core.run_folder import RunFolder
from ragtune.core.system import is_writable
from ragtune.recipe.arms import MAKEUP, Arm


class Copies:
    """A folder of copies in ``RUN/.open``, named after the process, so others can remove it.

    Of a run that cannot be written they are where the system keeps what is temporary.
    """

    def __init__(self, run: RunFolder, name: str) -> None:
        """Bind; ``name`` is another for each opening in this process."""
        self.run, self._name = run, f"{os.getpid()}-{name}"

    @functools.cached_property
    def folder(self) -> Path:
        """Where the copies are; it need not exist."""
        if is_writable(self.run.path):
            return self.run.copies / self._name
        return Path(tempfile.mkdtemp(prefix="ragtune-"))

    def remove_left_over(self) -> None:
        """Remove what processes left that were killed."""
        import psutil

        for copy in self.run.copies.glob("*-*"):
            process = copy.name.partition("-")[0]
            if process.isdecimal() and not psutil.pid_exists(int(process)):
                shutil.rmtree(copy, ignore_errors=True)

    def remove(self) -> None:
        """Remove the copies that were made."""
        if "folder" in vars(self):
            shutil.rmtree(self.folder, ignore_errors=True)

    def of_records(self, arm: Arm) -> RunFolder:
        """The run with a copy of the index of records, where the arm needs one.

        Raises RunError where it cannot be copied.
        """
        made = MAKEUP[arm]
        if not (made.examples or made.passages == "records"):
            return self.run
        from ragtune.retrieval import index

        run = _WithCopies(self.run.path, self.folder / arm)  # a copy is opened once
        run.beside.mkdir(parents=True, exist_ok=True)
        index.copy(self.run.records_index, run.records_index)
        return run


@dataclass(frozen=True)
class _WithCopies(RunFolder):
    """A run folder whose index of records is searched in a copy."""

    beside: Path

    @property
    def records_index(self) -> Path:
        """The copy."""
        return self.beside / "index-records"
