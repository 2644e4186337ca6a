import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragtune.core.errors import RecordsError
from ragtune.sources.records import Record
from ragtune.sources.split import By, choose, divide, nearest, split, ties, units


def about(documents: list[str]) -> list[Record]:
    return [Record(f"q{n}", "a", document=name) for n, name in enumerate(documents)]


@st.composite
def linked_records(draw: st.DrawFn) -> list[Record]:
    """Records that share groups, documents and contexts in every way."""
    names = st.sampled_from(["", "", "a", "b", "c", "d"])
    rows = draw(st.lists(st.tuples(names, names, names), min_size=1, max_size=14))
    return [
        Record(f"q{n}", "a", group=group, document=document, context=context)
        for n, (group, document, context) in enumerate(rows)
    ]


FRACTIONS = st.floats(0.02, 0.98)
BY: st.SearchStrategy[By] = st.sampled_from(["document", "question"])


@given(linked_records(), FRACTIONS, st.integers(1, 50), BY)
@settings(max_examples=300, deadline=None)
def test_nothing_that_belongs_together_is_torn_and_no_side_is_empty(
    records: list[Record], fraction: float, seed: int, by: By
) -> None:
    try:
        train, test, division = divide(records, fraction, seed, by)
    except RecordsError:
        return
    assert train
    assert test
    assert sorted([*train, *test], key=records.index) == records
    tied = [{tie for record in side for tie in ties(record, by)} for side in (train, test)]
    assert tied[0].isdisjoint(tied[1])
    assert division.held_out == len(test)
    assert divide(records, fraction, seed, by)[:2] == (train, test)


@given(linked_records(), FRACTIONS, BY)
@settings(max_examples=300, deadline=None)
def test_the_share_is_as_near_as_units_allow_or_refused(
    records: list[Record], fraction: float, by: By
) -> None:
    sizes = [len(unit) for unit in units(records, by)]
    asked = min(max(1, round(fraction * len(records))), max(1, len(records) - 1))
    sums = {sum(some) for n in range(1, len(sizes)) for some in itertools.combinations(sizes, n)}
    best = min(sums, key=lambda total: (abs(total - asked), -total), default=0)
    fair = 2 * best > asked and 2 * (len(records) - best) > len(records) - asked
    if not fair:
        with pytest.raises(RecordsError):
            divide(records, fraction, 1, by)
    else:
        assert len(divide(records, fraction, 1, by)[1]) == best


@given(st.lists(st.integers(1, 40), min_size=2, max_size=12), st.data())
@settings(max_examples=300, deadline=None)
def test_units_of_any_size_sum_to_what_they_can(sizes: list[int], data: st.DataObject) -> None:
    asked = data.draw(st.integers(1, sum(sizes) - 1))
    sums = {sum(s) for n in range(1, len(sizes)) for s in itertools.combinations(sizes, n)}
    total = nearest(sizes, asked)
    assert total == min(sums, key=lambda one: (abs(one - asked), -one))
    chosen = choose(sizes, total)
    assert len(set(chosen)) == len(chosen)
    assert sum(sizes[place] for place in chosen) == total


@given(st.lists(st.integers(0, 30), min_size=10, max_size=60), st.integers(1, 1000))
@settings(deadline=None)
def test_what_older_versions_held_out_to_the_record_is_held_out_still(
    documents: list[int], seed: int
) -> None:
    records = about([f"d{n}" for n in documents])
    names = list(dict.fromkeys(r.document for r in records))
    random.Random(seed).shuffle(names)
    wanted, held = max(1, round(0.2 * len(records))), list[Record]()
    for name in names:
        if len(held) < wanted:
            held += [r for r in records if r.document == name]
    if len(held) == wanted:
        assert split(records, 0.2, seed)[1] == sorted(held, key=records.index)


def test_a_split_keeps_documents_whole_and_depends_on_the_seed() -> None:
    rows = about([f"d{n // 5}" for n in range(100)])
    train, test = split(rows, 0.2, seed=1)
    assert len(test) == 20
    assert not {r.document for r in train} & {r.document for r in test}
    assert split(rows, 0.2, seed=1) == (train, test)
    assert split(rows, 0.2, seed=2) != (train, test)


def test_a_few_records_still_give_a_held_out_question() -> None:
    train, test = split(about(["a", "b", "c"]), 0.1, seed=1)
    assert (len(train), len(test)) == (2, 1)


def test_a_group_that_reaches_over_documents_joins_them() -> None:
    joined = Record("q", "a", document="d0", group="g"), Record("r", "a", document="d1", group="g")
    others = about([f"d{n % 8}" for n in range(40)])
    for seed in range(1, 20):
        train, test = split([*joined, *others], 0.3, seed)
        of = [{r.document for r in side} for side in (train, test)]
        assert of[0].isdisjoint(of[1])
        assert any({"d0", "d1"} <= names for names in of)


def test_by_question_documents_are_on_both_sides_and_groups_on_one() -> None:
    rows = [Record(f"q{n}", "a", document="d", group=f"g{n // 3}") for n in range(30)]
    train, test = split(rows, 0.2, 1, "question")
    assert len(test) == 6
    assert not {r.group for r in train} & {r.group for r in test}


def test_by_question_an_equal_question_about_the_document_is_on_one_side() -> None:
    rows = [Record(f"{'Q' if n % 2 else 'q'}{n // 2}", f"{n}", document="d") for n in range(20)]
    train, test = split(rows, 0.3, 1, "question")
    assert not {r.key for r in train} & {r.key for r in test}


@pytest.mark.parametrize(
    ("documents", "fraction", "said"),
    [
        (
            ["big"] * 95 + ["a", "b", "c", "d", "e"],
            0.1,
            r"95 of 100 records share the document 'big'.* \(10 records\) is 5, .*"
            r"study\.questions, set records\.split: question, .*or set "
            r"records\.test_fraction: 0\.05$",
        ),
        (["big"] * 9, 0.1, r"9 of 9 records share the document 'big'.* one side would be empty"),
        (["a"], 0.5, "one record cannot be divided"),
    ],
)
def test_a_division_that_is_not_fair_is_refused_with_what_to_do(
    documents: list[str], fraction: float, said: str
) -> None:
    with pytest.raises(RecordsError, match=said):
        split(about(documents), fraction, 1)


def test_the_share_that_a_refusal_names_is_allowed() -> None:
    rows = about(["big"] * 95 + list("abcde"))
    assert len(split(rows, 0.05, 1)[1]) == 5


def test_a_hundred_thousand_records_are_split_in_seconds() -> None:
    sizes = [1 + n * n % 997 for n in range(400)]
    rows = about([f"d{n}" for n, size in enumerate(sizes) for _ in range(size)])
    asked = round(0.1 * len(rows))
    assert len(split(rows, 0.1, 3)[1]) == asked


def test_records_are_divided_without_hashing_each(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: Record) -> dict[str, object]:
        raise AssertionError("rendered")

    monkeypatch.setattr(Record, "to_json", never)
    rows = [Record(f"Who keeps boat {n}?", "Ada") for n in range(60)]
    train, test, _ = divide([*rows, *rows[:3]], 0.2, 1)
    assert len(train) + len(test) == 63
