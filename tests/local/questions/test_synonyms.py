import pytest

from ragtune.questions.synonyms import _pairs, in_other_words

CHANGED = [
    (
        "Who is responsible for the luggage of a passenger?",
        "Nora Vell is responsible for the luggage of each passenger.",
        "Who is in charge of the baggage of a traveller?",
    ),
    (
        "When does the trip to Hesk begin?",
        "The trip to Hesk begins at nine.",
        "When does the journey to Hesk start?",
    ),
    (
        "How much does a locker cost for a week?",
        "A locker costs 4 crowns for a week.",
        "What is the price of a locker for a week?",
    ),
    (
        "How long does the probation of employees last?",
        "The probation of employees lasts four months.",
        "What is the duration of the probation of members of staff?",
    ),
]


@pytest.mark.parametrize(("question", "sentence", "other"), CHANGED)
def test_words_of_the_sentence_give_way_to_others(question: str, sentence: str, other: str) -> None:
    assert in_other_words(question, sentence) == other


@pytest.mark.parametrize(
    "question",
    [
        "Where is the car park of the hall?",  # a noun before a noun is part of its name
        "Who steers the Lamp of Hope?",
        "What can ten people share or lift?",
        "What are two people needed to lift?",
        "What is the pump switched off by?",
    ],
)
def test_what_would_mean_something_else_stays(question: str) -> None:
    assert in_other_words(question, question.replace("?", ".")) == question


def test_the_article_fits_the_other_word() -> None:
    asked = in_other_words("Who washes a car?", "A car is washed by Ada.")
    assert asked == "Who washes an automobile?"


def test_words_that_are_not_from_the_sentence_stay() -> None:
    asked = "When does the journey to the island begin?"
    assert in_other_words(asked, "The ferry sails for the island at nine.") == asked


def test_every_pair_has_words_that_a_sentence_can_have() -> None:
    assert all(said and not look.search(other) for said, look, other in _pairs())
