import random
import re
from collections.abc import Sequence
from typing import Any

from ragtune.models.engines.base import unwatched
from ragtune.questions.near_misses import Miss, near_misses, unanswered
from ragtune.questions.row import Row
from tests.local.questions.helpers import DOCUMENTS, collection


class Answering:
    """A reader that answers each question from any passage, or refuses each."""

    def __init__(self, answer: str) -> None:
        self.text = answer
        self.passages: list[str] = []

    def answer(self, asked: Sequence[tuple[str, str]], advance: Any = unwatched) -> list[str]:
        self.passages += [passage for passage, _ in asked]
        return [self.text for _ in asked]


SILENT = "not in the documents"


def row(question: str, document: str) -> Row:
    return Row(question, "an answer", DOCUMENTS[document][1], document, "…", "f1")


def test_a_name_or_a_month_is_exchanged_for_another() -> None:
    asked = [
        row("What does Mara Oduya give out to the staff?", "parking.md"),
        row("Why is the lake closed to boats in March?", "boats.md"),
    ]
    found = near_misses(asked, collection(), random.Random(0))
    told = [one for one in found if re.search(r"\b(?:lake|give)\b", one.question)]
    texts = {one.row.document: one.question for one in told}
    assert texts["parking.md"] == "What does Tomas Brandl give out to the staff?"
    assert "March" not in texts["boats.md"]
    assert texts["boats.md"].startswith("Why is the lake closed to boats in ")


def test_what_nobody_says_of_a_person_is_asked() -> None:
    asked = [row("When is the barrier of the car park closed?", "parking.md")]
    found = near_misses(asked, collection(), random.Random(0))
    assert {one.new for one in found} == {"Mara Oduya", "Tomas Brandl"}
    assert all(one.new in one.question for one in found)


def test_a_near_miss_has_no_answer_and_no_document() -> None:
    miss = Miss(row("What does Mara Oduya give out?", "parking.md"),
                "What does Tomas Brandl give out?", "Tomas Brandl")  # fmt: skip
    reader = Answering(SILENT)
    (found,) = unanswered([miss], collection(), reader)
    assert (found.response, found.document, found.evidence, found.kind) == (
        "",
        "",
        "",
        "unanswerable",
    )
    assert all("Tomas Brandl" in passage for passage in reader.passages)


def test_one_that_a_sentence_answers_is_dropped() -> None:
    miss = Miss(row("Who opens the office on Tuesdays?", "parking.md"),
                "Who opens the hall on Mondays?", "hall")  # fmt: skip
    assert unanswered([miss], collection(), Answering(SILENT)) == []


def test_one_that_the_reader_answers_is_dropped() -> None:
    miss = Miss(row("What does Mara Oduya give out?", "parking.md"),
                "What does Tomas Brandl give out?", "Tomas Brandl")  # fmt: skip
    assert unanswered([miss], collection(), Answering("the hall")) == []
