from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ragtune.core.files import write_jsonl
from ragtune.models.engines.base import unwatched
from ragtune.retrieval.sentences import sentences
from scripts.pretrain.people import (
    Asked,
    apart,
    asked,
    from_json,
    plain,
    records,
    sample,
    title_of,
    to_json,
)

PIER = (
    "Hesk Pier is a wooden pier on the north coast. It was rebuilt by the engineer Ada Corrin in "
    "1911 after a storm. The pier carries a narrow railway that is 420 metres long.\n\n"
    "Visitors pay two crowns at the gate house. The gate house was painted green in 1987."
)


def row(
    question: str, answer: str, category: str = "closed_qa", text: str = PIER
) -> dict[str, str]:
    return {"instruction": question, "context": text, "response": answer, "category": category}


def of(*rows: dict[str, str], reader: Any = None) -> list[Asked]:
    return asked(rows, sentences(), reader)


@pytest.mark.parametrize(
    ("question", "answer", "stretch", "kind"),
    [
        ("who rebuilt Hesk Pier", "Hesk Pier was rebuilt by Ada Corrin.", "Ada Corrin", "name"),
        ("When was Hesk Pier rebuilt?", "In 1911", "1911", "date"),
        ("When did the pier at Hesk get rebuilt?", "The storm came first, so 1911 it was.", "1911",
         "date"),
        ("How long is the railway of Hesk Pier?", "420 metres", "420 metres", "figure"),
        ("What do visitors of Hesk Pier pay?", "They pay two crowns", "two crowns", "figure"),
    ],
)  # fmt: skip
def test_a_question_is_for_what_its_answer_says_beyond_it(
    question: str, answer: str, stretch: str, kind: str
) -> None:
    (one,) = of(row(question, answer))
    assert one.fact.answer == stretch
    assert one.fact.kind == kind
    assert one.fact.sentence.title == "Hesk Pier"
    assert one.question[0].isupper()
    assert one.question.endswith("?")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("List the builders of Hesk Pier", "Ada Corrin"),
        ("Who rebuilt it?", "Ada Corrin"),
        ("Extract the year of the storm. Separate with a comma.", "1911"),
        ("What are the colours mentioned in the passage?", "green"),
        ("When was Hesk Pier rebuilt, and who rebuilt Hesk Pier?", "1911, Ada Corrin"),
        ("What happened to Hesk Pier?", "- rebuilt\n- painted"),
        ("What colour is the roof of Hesk Pier?", "It is purple"),
        ("What is Hesk Pier made of and painted with over the years?", "Wood, green, 1987, 1911"),
    ],
)
def test_what_is_no_question_for_one_stretch_is_left_out(question: str, answer: str) -> None:
    assert of(row(question, answer)) == []


def test_what_says_where_the_answer_is_is_taken_off_a_question() -> None:
    lead = "Given this paragraph about a pier, who painted the gate house"
    assert plain(lead) == "Who painted the gate house?"
    assert plain("Please tell me who painted the gate house.") == "Who painted the gate house?"
    tail = "When was Hesk Pier rebuilt according to the passage?"
    assert plain(tail) == "When was Hesk Pier rebuilt?"


def test_a_reader_finds_the_stretch_where_the_answer_is_in_other_words() -> None:
    class Reading:
        def answer(self, asked: Sequence[tuple[str, str]], advance: Any = unwatched) -> list[str]:
            return ["the gate house" if "Which" in question else "1987" for _, question in asked]

    where = row("Which part of Hesk Pier takes the money?", "Payment is made there: gate house")
    wrong = row("Why was Hesk Pier rebuilt?", "Waves and wind had taken the former one away.")
    assert of(where, wrong) == []
    (one,) = of(where, wrong, reader=Reading())
    assert one.fact.answer == "at the gate house"


def test_a_text_is_titled_by_what_it_is_about() -> None:
    assert title_of(PIER) == "Hesk Pier"
    assert title_of("The gate\nIn 1987 it was painted.") == "The gate"
    assert title_of("In 1911 Ada Corrin came. In 1912 Ada Corrin left.") == "Ada Corrin"
    assert not title_of("There was a storm.")


def test_a_sample_asks_as_drafting_does() -> None:
    (one,) = of(row("Who rebuilt Hesk Pier?", "Ada Corrin"))
    for seed in range(12):
        prompt, answer = sample(one, Random(seed))
        assert prompt.text.startswith("### Input:\nHesk Pier\n")
        assert "the engineer [Ada Corrin] in 1911" in prompt.text
        assert "Answer: Ada Corrin\n" in prompt.text
        assert (answer.text, answer.ends) == ("Who rebuilt Hesk Pier?", True)


def test_questions_of_a_text_are_on_one_side_and_are_kept_as_they_are() -> None:
    names = ("Aber", "Borth", "Cark", "Deal", "Eyam", "Flint", "Goole", "Hythe", "Ince", "Jura")
    texts = [PIER.replace("Hesk", name) for name in names]
    every = of(*(
        row(question.format(text.split()[0]), answer, text=text)
        for text in texts
        for question, answer in (("Who rebuilt {} Pier?", "Ada Corrin"),
                                 ("When was {} Pier rebuilt?", "1911"))
    ))  # fmt: skip
    train, aside = apart(every)
    assert (len(train), len(aside)) == (18, 2)
    assert aside[0].fact.sentence.title == aside[1].fact.sentence.title
    assert [from_json(to_json(one)) for one in every] == every


def test_records_are_those_with_a_text(tmp_path: Path) -> None:
    kept = row("Who rebuilt Hesk Pier?", "Ada Corrin")
    others = [row("Who?", "Ada", "open_qa"), row("Who?", "Ada", text=" ")]
    write_jsonl(tmp_path / "databricks-dolly-15k.jsonl", [kept, *others])
    assert records(tmp_path) == [kept]
