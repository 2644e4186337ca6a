"""Development questions: a part of the training records that settings are chosen on.

They stand in for the test questions, which nothing is chosen on, so they are to differ from what
is trained on as those do. Where the run splits its own questions off, they are split off in the
same way once more. Where the questions have a file of their own, they may ask in other words for
facts that the records hold: there one wording of a group is held out and the others are trained
on, if enough groups have several. Else whole units are held out.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ragtune.core.errors import RecordsError
from ragtune.sources.records import Record
from ragtune.sources.split import HELD_OUT, By, split

SHARE = 0.2
LEAST, MOST = 12, 60
"""Questions that are wanted at least, and asked at most."""

How = Literal["document", "question", "wording"]
"""What the questions are held out by: they are about other documents, or other questions about the
same, or the same facts in other words."""


@dataclass(frozen=True)
class Development:
    """Records to train on, and the questions to ask; ``held_out`` by what."""

    train: list[Record]
    questions: list[Record]
    held_out: How


def develop(records: Sequence[Record], seed: int, by: By, questions: str) -> Development:
    """Split development questions off the training records; which depends on ``seed``.

    ``by`` is ``records.split``, ``questions`` is ``study.questions``: the name, not the file.

    Raises RecordsError where the records cannot be divided.
    """
    count = min(MOST, max(LEAST, round(SHARE * len(records))), len(records) // 2)
    if questions != HELD_OUT and (held := _wordings(records, count, seed)):
        train = [r for n, r in enumerate(records) if n not in held]
        return Development(train, [records[n] for n in sorted(held)], "wording")
    ways: tuple[By, ...] = (by,) if by == "question" else (by, "question")
    for way in ways:
        try:
            train, asked = split(records, count / max(1, len(records)), seed, way)
        except RecordsError:
            if way == ways[-1]:
                raise
        else:
            return Development(train, _spread(asked), way)
    raise AssertionError


def _wordings(records: Sequence[Record], count: int, seed: int) -> set[int]:
    """The places of one record each of groups that have others; empty where these are too few."""
    groups: dict[str, list[int]] = {}
    for place, record in enumerate(records):
        if record.group:
            groups.setdefault(record.group, []).append(place)
    several = [places for places in groups.values() if len(places) > 1]
    if len(several) < count:
        return set()
    chooser = random.Random(seed)
    return {chooser.choice(places) for places in chooser.sample(several, count)}


def _spread(questions: list[Record]) -> list[Record]:
    """At most `MOST` of them, at even distances; big units may give more than were asked for."""
    count = min(MOST, len(questions))
    return [questions[n * len(questions) // count] for n in range(count)]
