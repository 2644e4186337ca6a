import pytest

from ragtune.questions.passages import sentences_of
from ragtune.retrieval import sentences
from tests.local.questions.helpers import collection, facts, nodes


@pytest.mark.parametrize(
    ("text", "answer", "kind"),
    [
        ("The lift carries 350 kilos at most.", "350 kilos", "figure"),
        ("A season ticket costs £4.50 for guests.", "£4.50", "figure"),
        ("Members may borrow four copies at a time.", "four", "figure"),
        ("Bookings close 24 hours before the trip.", "24 hours", "figure"),
        ("The pool opens at 6:30 each day.", "6:30", "date"),
        ("Waste is collected on the first Monday of the month here.", "first Monday of the month",
         "date"),
        ("The mill burned down in 1902 and was rebuilt.", "1902", "date"),
        ("Complaints go to Dr Nadia Weiss in writing.", "Dr Nadia Weiss", "name"),
        ("Faults are reported on extension 2625 only.", "2625", "code"),
        ("Write to desk@mill.example for a form.", "desk@mill.example", "code"),
        ("The gate stays shut because the field is flooded.", "because the field is flooded",
         "reason"),
        ("The spare key hangs behind the ticket window.", "behind the ticket window", "phrase"),
        ("Visitors must wear a yellow helmet in the hall.", "a yellow helmet", "phrase"),
        ("A bung is a stopper that closes a barrel.", "a stopper that closes a barrel",
         "definition"),
    ],
)  # fmt: skip
def test_what_may_be_asked_for_is_found_word_for_word(text: str, answer: str, kind: str) -> None:
    found = {one.answer: one.kind for one in facts(text)}
    assert found.get(answer) == kind
    assert all(one in text for one in found)


def test_the_first_word_of_a_sentence_is_no_name() -> None:
    assert [f.answer for f in facts("Bicycles stand there all year.") if f.kind == "name"] == []


def test_one_end_of_a_range_is_no_answer() -> None:
    found = facts("The store is open from 10:00 to 14:00, and on Mondays until noon.")
    assert [one.answer for one in found if one.kind == "date"] == ["Mondays", "until noon"]


def test_a_table_row_gives_its_cells_but_not_the_one_that_names_it() -> None:
    found = facts("Dish: lentil soup | Price: 4 crowns | Served: daily")
    assert [one.answer for one in found] == ["4 crowns", "daily"]


def test_an_answer_that_its_passage_has_twice_is_not_asked_for() -> None:
    assert [f.answer for f in facts("From 6:30 on, and again at 6:30, it rings.")] == []


def test_sentences_are_taken_once_and_headings_never() -> None:
    documents = {"a.md": ("Parking", "Parking\n\nThe upper car park is for the staff alone.")}
    found = sentences_of([*nodes(documents), *nodes(documents)], sentences.sentences())
    assert [one.text for one in found] == ["The upper car park is for the staff alone."]


def test_a_passage_is_a_sentence_with_its_neighbours_below_its_title() -> None:
    passage = collection().documents["boats.md"][1]
    assert passage.sentence.text == "The key hangs behind the ticket window."
    assert passage.shown.startswith("Hiring a boat\nA rowing boat is hired")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Coffee is free before 08:00 for the night shift.", "before 08:00"),
        ("The canteen serves hot food until 13:45.", "until 13:45"),
        ("Staff may ask for an advance of up to 200 crowns.", "up to 200 crowns"),
        ("A laptop is returned within two days.", "within two days"),
        ("The gate opens at 6:30.", "6:30"),
    ],
)
def test_what_limits_a_time_or_a_figure_is_part_of_the_answer(text: str, answer: str) -> None:
    assert [one.answer for one in facts(text)] == [answer]


def test_a_heading_is_no_part_of_the_sentence_below_it() -> None:
    (node, *_) = nodes({"a.md": ("Fire", "Fire\nThe two extinguishers are tested each May.")})
    found = sentences_of([node], sentences.sentences())
    assert [one.text for one in found] == ["The two extinguishers are tested each May."]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("In a trial led by Helen B. Whyura, many heard better.", "Helen B. Whyura"),
        ("The contractor was EADS CASA Espacio, under contract.", "EADS CASA Espacio"),
        ("This is the album by the rapper Mistah F.A.B. and others.", "Mistah F.A.B."),
        ("The ship was commanded by E. G. Allen for a year.", "E. G. Allen"),
        ("She met Tom Brandl. Anna came later.", "Tom Brandl"),
    ],
)
def test_initials_and_capitals_are_part_of_a_name(text: str, name: str) -> None:
    assert name in [one.answer for one in facts(text)]


def test_what_only_says_which_thing_is_meant_is_no_answer() -> None:
    assert "Pluto" not in {f.answer for f in facts("The stain comes from Pluto's haze of smog.")}
    assert "2017" not in {f.answer for f in facts("The team finished the 2017 season in May.")}
    assert "2017" in {f.answer for f in facts("The team was founded in 2017 by two friends.")}
