"""A value that is costly to make and needed twice in a row: made once, then let go."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic, TypeVar

from ragtune.core import stamps

Value = TypeVar("Value")


class Handover(Generic[Value]):
    """Keeps what one caller made from files for the next that needs the same, and for it alone.

    A longer memory would hold the records of a whole study for as long as the process lives.
    """

    def __init__(self) -> None:
        self._kept: tuple[Any, Value] | None = None

    def get(self, given: Any, files: Iterable[Path], make: Callable[[], Value]) -> Value:
        """What the last caller made where ``given`` is equal and no file changed, or a new one."""
        noted = stamps.settled(files)
        kept, self._kept = self._kept, None
        if noted is not None and kept is not None and kept[0] == (given, noted):
            return kept[1]
        value = make()
        if noted is not None:
            self._kept = (given, noted), value
        return value
