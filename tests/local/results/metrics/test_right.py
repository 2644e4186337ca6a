"""The judge against marks of our own: rows of all kinds, in `marks.jsonl`."""

import json
import time
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ragtune.core.text.number_words import plain
from ragtune.results.metrics.judgement import Judgement
from ragtune.results.metrics.right import is_unanswerable, judged, right

ROWS: list[dict[str, Any]] = [
    json.loads(line)
    for line in Path(__file__).with_name("marks.jsonl").read_text(encoding="utf-8").splitlines()
]
KINDS = sorted({row["kind"] for row in ROWS})


@pytest.mark.parametrize("kind", KINDS)
def test_it_agrees_with_the_marks(kind: str) -> None:
    wrong = [
        row
        for row in ROWS
        if row["kind"] == kind
        and right(
            row["answer"],
            row["references"],
            question=row.get("question", ""),
            labels=row.get("labels", ()),
        )
        is not row["right"]
    ]
    assert not wrong


def test_the_marks_are_many_and_of_both_sides() -> None:
    assert len(ROWS) >= 800
    assert 0.4 < sum(row["right"] for row in ROWS) / len(ROWS) < 0.7


@pytest.mark.parametrize(
    ("answer", "reference", "why"),
    [
        ("", "seven tonnes", Judgement.EMPTY),
        ("I don't know.", "seven tonnes", Judgement.REFUSED),
        ("seven tonnes", "", Judgement.NOT_REFUSED),
        ("D", "B", Judgement.OTHER_LABEL),
        ("No.", "yes", Judgement.OPPOSITE),
        ("It is heavy.", "7 tonnes", Judgement.VALUE_MISSING),
        ("9 tonnes", "7 tonnes", Judgement.OTHER_VALUE),
        ("7 or 9 tonnes", "7 tonnes", Judgement.CONTRADICTED),
        ("rice and salt", "rice, salt and tea", Judgement.ITEM_MISSING),
        ("rice, salt, tea and jam", "rice, salt and tea", Judgement.ITEM_EXTRA),
        ("It is not the barn.", "the barn", Judgement.DENIED),
        ("the stable", "the barn", Judgement.OTHER_WORDS),
        ("7 t", "7 tonnes", Judgement.RIGHT),
    ],
)
def test_it_says_why_not(answer: str, reference: str, why: Judgement) -> None:
    assert judged(answer, reference) is why


def test_the_recipes_own_phrase_is_a_refusal_wherever_it_stands() -> None:
    assert not right("Ask the oracle about that.", "")
    assert right("Ask the oracle about that.", "", refusals=["ask the oracle"])
    assert is_unanswerable("Ask the oracle", ["ask the oracle"])
    assert not right("Ask the oracle.", "the barn", refusals=["ask the oracle"])


def test_no_reference_asks_for_a_refusal() -> None:
    assert right("The documents do not mention it.", [])
    assert not right("the barn", [])


def test_any_reference_counts() -> None:
    assert right("the lorry", ["a van", "a lorry"])
    assert not right("the bus", ["a van", "a lorry"])


def test_what_the_question_says_may_be_left_out() -> None:
    assert not right("seven", "seven tonnes")
    assert right("seven", "seven tonnes", question="How many tonnes does it lift?")
    assert right("the northern one", "the northern pier", question="Which pier is it?")


amounts = st.integers(2, 99_999)


@given(amounts)
def test_notations_of_one_number_are_equal(amount: int) -> None:
    for written in (f"{amount:,}", f"{amount}", f"It lifts {amount} boxes.", f"{amount}.0"):
        assert right(written, f"{amount}")


@given(amounts, st.integers(0, 4), st.integers(1, 9))
def test_another_digit_is_wrong(amount: int, place: int, more: int) -> None:
    digits = list(str(amount))
    place %= len(digits)
    digits[place] = str((int(digits[place]) + more) % 10)
    assume(digits[0] != "0")
    assert not right(f"{''.join(digits)} boxes", f"{amount} boxes")


@given(st.decimals(min_value="0.01", max_value=999, places=2))
def test_a_moved_point_is_wrong_and_more_zeros_are_not(amount: Any) -> None:
    assert right(f"{amount}0 V", f"{amount} V")
    assert not right(f"{amount * 10} V", f"{amount} V")
    assert not right(f"-{amount} V", f"{amount} V")


@given(st.dates(min_value=date(1000, 1, 1), max_value=date(2199, 12, 31)))
def test_a_date_is_the_same_in_every_notation(day: Any) -> None:
    reference = f"{day.day} {day:%B} {day.year}"
    for written in (
        day.isoformat(),
        f"{day:%B} {day.day}, {day.year}",
        f"{day.day}.{day.month}.{day.year}",
        f"{day.year}年{day.month}月{day.day}日",
        f"It was on {day:%d %b %Y}.",
    ):
        assert right(written, reference), written
    later = day.replace(year=day.year - 1) if (day.month, day.day) != (2, 29) else None
    assert later is None or not right(later.isoformat(), reference)


@given(st.times())
def test_a_time_is_the_same_on_both_clocks(told: Any) -> None:
    reference = f"{told:%H:%M}"
    assert right(
        f"{told.hour % 12 or 12}:{told.minute:02} {'pm' if told.hour > 11 else 'am'}", reference
    )
    assert not right(
        f"{told.hour % 12 or 12}:{told.minute:02} {'am' if told.hour > 11 else 'pm'}", reference
    )


@given(st.permutations(["rice", "salt", "tea", "jam", "flour", "honey"]).map(lambda p: p[:4]))
def test_a_list_is_a_set(things: list[str]) -> None:
    reference = f"{', '.join(things[:-1])} and {things[-1]}"
    assert right(", ".join(reversed(things)), reference)
    assert not right(", ".join([*things, "soap"]), reference)
    assert len(things) < 3 or not right(", ".join(things[1:]), reference)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_judged(answer: str, reference: str) -> None:
    assert isinstance(judged(answer, [reference]), Judgement)


@pytest.mark.parametrize(
    "text",
    ["1" * 6000, "12 345 " * 400, "3:" * 900, "-" * 4000, "a," * 2000, "there is no " * 300,
     "一" * 5000, "twenty one thousand and " * 200, "9e999", "0.0003^-99", "(" * 2000],
)  # fmt: skip
def test_what_a_model_repeats_is_judged_in_no_time(text: str) -> None:
    start = time.process_time()
    assert not right(text, "The barn opens at seven and closes before noon on 3 May 2021.")
    assert not right("the barn", text)
    assert time.process_time() - start < 5


@given(st.integers(1, 99), st.sampled_from([2, 4, 5, 8, 10, 16, 20]))
def test_a_fraction_is_its_decimals(upper: int, lower: int) -> None:
    assert right(f"{upper}/{lower}", plain(Fraction(upper, lower)))
    assert not right(f"{upper + 1}/{lower}", plain(Fraction(upper, lower)))
