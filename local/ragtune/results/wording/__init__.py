"""The sentences of table and page, written from values; results hold none."""

from ragtune.results.wording.decision import (
    because,
    break_even,
    change,
    headline,
    measurement,
    reason,
    spending,
    verdict,
)
from ragtune.results.wording.faults import fault
from ragtune.results.wording.figures import (
    failures,
    marked,
    recall,
    reviewed,
    right,
    seeds,
    spread,
)
from ragtune.results.wording.full_size import lines as at_full_size
from ragtune.results.wording.numbers import about, brief, rounded
from ragtune.results.wording.terms import (
    ADDS,
    ARMS,
    CAUSES,
    CAUSES_IN_SHORT,
    FLIPS,
    METRICS,
    RIGHT_MEANS,
    SHOWS,
    judge,
    named,
)

__all__ = [
    "ADDS",
    "ARMS",
    "CAUSES",
    "CAUSES_IN_SHORT",
    "FLIPS",
    "METRICS",
    "RIGHT_MEANS",
    "SHOWS",
    "about",
    "at_full_size",
    "because",
    "break_even",
    "brief",
    "change",
    "failures",
    "fault",
    "headline",
    "judge",
    "marked",
    "measurement",
    "named",
    "reason",
    "recall",
    "reviewed",
    "right",
    "rounded",
    "seeds",
    "spending",
    "spread",
    "verdict",
]
