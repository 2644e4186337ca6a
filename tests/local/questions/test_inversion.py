import pytest

from ragtune.questions.inversion import inverted
from tests.local.questions.helpers import fact


@pytest.mark.parametrize(
    ("text", "answer", "question"),
    [
        ("The gate is closed at 10 p.m. in winter.", "10 p.m.",
         "When is the gate closed in winter?"),
        ("Earplugs are given away at the front desk.", "at the front desk",
         "Where are earplugs given away?"),
        ("A reader may take home six books at once.", "six",
         "How many books may a reader take home at once?"),
        ("The lending desk is looked after by Wilmot Sayle.", "Wilmot Sayle",
         "By whom is the lending desk looked after?"),
        ("A day ticket costs 12 crowns.", "12 crowns", "How much does a day ticket cost?"),
        ("The lift is stopped because the cable is worn.", "because the cable is worn",
         "Why is the lift stopped?"),
    ],
)  # fmt: skip
def test_a_plain_sentence_is_turned_into_its_question(
    text: str, answer: str, question: str
) -> None:
    assert inverted(fact(text, answer)) == question


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("It is closed at 10 p.m. in winter.", "10 p.m."),
        ("The gate is oiled, and the bell is rung at 10 p.m. each day.", "10 p.m."),
        ("In March the lake is closed for repairs.", "March"),
    ],
)
def test_a_sentence_of_another_form_is_left_alone(text: str, answer: str) -> None:
    assert not inverted(fact(text, answer))
