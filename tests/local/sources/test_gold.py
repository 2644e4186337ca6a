import pytest

from ragtune.sources import gold
from ragtune.sources.records import Record

KNOWN = {"hr/travel.md", "leave.md", "bedienung.md"}


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("travel.md", "hr/travel.md"),
        ("docs/hr/travel.md", "hr/travel.md"),
        ("hr\\travel.md", "hr/travel.md"),
        ("Leave.md", "leave.md"),
        ("leaves.md", "leave.md"),
        ("zzz", ""),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest_one(name: str, nearest: str) -> None:
    rows = [Record("q", "a", document=name), Record("r", "a", document="leave.md")]
    assert gold.unknown_names(rows, KNOWN, {}) == [gold.UnknownName(name, 1, nearest=nearest)]


def test_a_file_that_is_left_out_is_told_with_the_reason() -> None:
    rows = [Record(q, "a", document="prices.xlsx") for q in "pq"]
    (found,) = gold.unknown_names(rows, KNOWN, {"prices.xlsx": "not one of .md"})
    assert found == gold.UnknownName("prices.xlsx", 2, left_out="not one of .md")


def test_evidence_is_found_whatever_its_case_and_spacing() -> None:
    text = "There are\n26 days of “paid” leave for every wheel\u00adchair-\nuser."
    found = gold.absent_evidence(
        [
            Record("q", "a", document="leave.md", evidence='there are 26 days of "paid" leave'),
            Record("q", "a", document="leave.md", evidence="every wheelchair user"),
            Record("q", "a", document="leave.md", evidence="We have 26 days."),
            Record("q", "a", document="unknown.md", evidence="We have 26 days."),
            Record("q", "a", evidence="We have 26 days."),
        ],
        KNOWN,
        lambda name: text,
    )
    assert found == [gold.AbsentEvidence(2, "leave.md", "We have 26 days.")]
