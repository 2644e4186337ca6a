"""Every error a person can cause, and the exit code that the command gives it.

::

    RagtuneError                1  anything below, and what has no better name
    ├── RecipeError             2  the recipe or a command-line value
    ├── DataError               3  what the recipe points at
    │   ├── RecordsError           instruction records, questions
    │   └── DocumentsError         documents to retrieve from
    ├── ModelError              4  base model, adapter, tokenizer, embedder
    │   └── DivergedError          tuning whose loss is not finite
    ├── OfflineError            5  something would have to leave this machine
    ├── RunError                6  the run folder: missing, in use, not finished; the disk
    └── CloudError              7  what a cloud refused, or would have

A message is one line that names the thing, says what is allowed and what to do. Exit code 2 is
also the command line's own (an unknown option), 130 an interruption by Ctrl-C.
"""

from collections.abc import Sequence
from dataclasses import dataclass

INTERRUPTED = 130
"""The exit code after Ctrl-C: Typer's."""


class RagtuneError(Exception):
    """The root of the tree."""

    exit_code = 1


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a recipe: ``file:line: field: problem``."""

    where: str
    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.where}: {self.field}: {self.problem}"


class RecipeError(RagtuneError):
    """A recipe that cannot be used; ``faults`` holds all that is wrong with it, in file order."""

    exit_code = 2

    def __init__(self, faults: Sequence[Fault] | str) -> None:
        self.faults = [] if isinstance(faults, str) else list(faults)
        super().__init__(faults if isinstance(faults, str) else "\n".join(map(str, faults)))


class DataError(RagtuneError):
    """What the recipe points at cannot be used."""

    exit_code = 3


class RecordsError(DataError):
    """Instruction records or questions that are missing, broken or too few."""


class DocumentsError(DataError):
    """Documents that are missing, empty or unreadable."""


class ModelError(RagtuneError):
    """A model, adapter, tokenizer or embedder that is missing or unfit."""

    exit_code = 4


class DivergedError(ModelError):
    """Tuning came to a loss that is not finite."""


class OfflineError(RagtuneError):
    """Something would have to leave this machine and was not allowed to."""

    exit_code = 5


class RunError(RagtuneError):
    """A run folder that is missing, in use or not finished."""

    exit_code = 6


class CloudError(RagtuneError):
    """What a cloud refused, or would have; raised by the packages that plug in, never here."""

    exit_code = 7
