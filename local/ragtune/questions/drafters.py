"""Who writes a question for a fact: the seam between facts and models."""

import re
from collections.abc import Sequence
from typing import Protocol

from ragtune.core.progress import Advance
from ragtune.models.engines.base import unwatched
from ragtune.questions.facts import Fact


class Drafter(Protocol):
    """Writes questions; what is wrong with them is found elsewhere."""

    @property
    def name(self) -> str:
        """What a row says of who drafted it."""

    @property
    def fingerprint(self) -> str:
        """Identifies it, so that a stopped drafting goes on with the same one."""

    @property
    def at_once(self) -> int:
        """How many documents it may be asked about at the same time, by as many threads."""

    def draft(self, facts: Sequence[Fact], advance: Advance = unwatched) -> list[list[str]]:
        """Questions for each fact, the most promising first."""

    def reword(
        self, facts: Sequence[Fact], questions: Sequence[str], advance: Advance = unwatched
    ) -> list[list[str]]:
        """Other wordings of a question for each fact."""

    def doubts(self, facts: Sequence[Fact], questions: Sequence[str]) -> list[float]:
        """How unsure it is of each question, in nats a token; 0 where it cannot say."""


def cleaned(text: str) -> str:
    """The first question of what a model wrote, without numbers, labels and quotes around it."""
    line = next((part.strip() for part in text.splitlines() if part.strip()), "")
    line = re.sub(r"^(?:\d+[.)]|[-*•]|Q(?:uestion)?\s*\d*:)\s*", "", line).strip().strip('*"“”')
    mark = re.search(r"[?\uff1f]", line)
    line = line[: mark.end()] if mark else line
    return re.sub(r"\s+", " ", line[:1].upper() + line[1:])
