import random

import pytest

from ragtune.core.text.refusals import refuses, without_refusals


@pytest.mark.parametrize(
    "text",
    [
        "I have no idea.",
        "Sorry, I can't tell from this.",
        "The leaflet doesn't mention the colour.",
        "Nothing in the passages says so.",
        "There's no information about the barn in the text.",
        "It cannot be determined from the context.",
        "The owner is not named in the report.",
        "No details are given.",
        "unclear",
        "n/a",
        "It isn't specified whether dogs may enter.",
        "I could not find this. Please contact the office.",
        "The text describes the mill. It does not say who built it.",
        "Das geht aus dem Text nicht hervor.",
        "Dazu gibt es keine Angaben.",
        "Je ne peux pas répondre.",
        "Le texte n'en parle pas.",
        "No se menciona.",
        "El texto no contiene esa información.",
        "文中没有说明。",
        "我不知道。",
        "資料には書かれていません。",
        "不明",
    ],
)
def test_refusals_in_other_words(text: str) -> None:
    assert refuses(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No.",
        "none",
        "Dogs may not enter the barn.",
        "Breakfast is not included.",
        "The insurance does not cover storm damage.",
        "There are no buses on Sunday.",
        "It is free of charge, no ticket is needed.",
        "You cannot swim there.",
        "an unknown painter",
        "不锈钢",
        "不可以带狗。",
        "Das ist nicht erlaubt.",
        "On ne peut pas entrer.",
        "No se permite fumar.",
        "I do not know the exact day, but it opens in May 1988.",
        "The barn. The text does not say which one.",
    ],
)
def test_answers_that_deny_something_are_none(text: str) -> None:
    assert not refuses(text)


def test_phrases_of_ones_own_count_anywhere() -> None:
    assert not refuses("Here I must pass.")
    assert refuses("Here I must pass.", ["I must pass"])


def test_what_remains_without_the_refusing_sentences() -> None:
    assert without_refusals("In the barn. The text does not say which.") == "In the barn."
    assert without_refusals("I don't know, but it is 7.") == "it is 7."


def test_plain_letters_are_judged_as_others_are() -> None:
    rng = random.Random(3)
    pieces = (
        *("I don't know", "no", "unknown", "not stated in the documents", "12 km", "but I guess 5"),
        *("The handbook does not say", "please ask", "n/a", "I cannot tell", "None", "_no_"),
        *("kein", "it isn`t said", "Sorry", "undecided", "x.no", "NA", "je ne sais pas", "one"),
        *("sin datos", "They passed", "There is no information about that", "!", ". ", "\n", ","),
    )
    phrases = ("The book is closed.", "it's nowhere", " ", "???")
    refused = 0
    for _ in range(3000):
        text = "".join(p + rng.choice(("", " ")) for p in rng.choices(pieces, k=rng.randint(1, 4)))
        text += rng.choice(("", "", "The book is closed", "its nowhere"))
        # A character that nobody sees, and that takes the text along the general way.
        assert refuses(text, phrases) == refuses(f"{text}\u200b", phrases), text
        refused += refuses(text, phrases)
    assert 500 < refused < 2900
