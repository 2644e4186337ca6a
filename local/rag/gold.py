"""Which of the passages found is the gold one."""

from collections.abc import Sequence
from typing import Protocol

from local.records import Record


class Found(Protocol):
    """What is read of a passage."""

    @property
    def document(self) -> str:
        """The document's name."""

    @property
    def text(self) -> str:
        """The passage."""


def gold_rank(record: Record, passages: Sequence[Found]) -> int | None:
    """The rank, from 1, of the first gold passage; None where none was found.

    Gold is a passage of the gold document that, where the evidence sentence is known, holds it.
    """
    wanted = _squeeze(record.evidence)
    for rank, passage in enumerate(passages, 1):
        if passage.document == record.document and wanted in _squeeze(passage.text):
            return rank
    return None


def _squeeze(text: str) -> str:
    return " ".join(text.split())
