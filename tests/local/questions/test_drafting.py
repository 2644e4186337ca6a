import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ragtune.core import files
from ragtune.core.errors import DocumentsError, RunError
from ragtune.core.progress import Advance, Silent
from ragtune.models.engines.base import unwatched
from ragtune.models.hardware import probe
from ragtune.questions import make, models
from ragtune.questions.drafters import Drafter
from ragtune.questions.drafting import Drafting
from ragtune.questions.facts import Fact
from ragtune.questions.make import TEST, TRAIN, Made
from ragtune.questions.plan import By, Chosen, planned
from ragtune.questions.review.session import Review
from ragtune.questions.stems import content
from ragtune.recipe.records import Records
from ragtune.retrieval import sentences
from ragtune.sources.records import load
from tests.local.models.engines.fake_server import Body, FakeServer, serving
from tests.local.questions.helpers import DOCUMENTS, collection, nodes


class Knowing:
    """Reads the answer of a fact where the passage has it."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers

    def answer(self, asked: Sequence[tuple[str, str]], advance: Any = unwatched) -> list[str]:
        known = ((passage, self.answers.get(question, "")) for passage, question in asked)
        return [
            answer if answer in passage else "not in the documents" for passage, answer in known
        ]


def asked_of(body: Body) -> str:
    """What a model does: it asks about the first words of the sentence, and asks badly."""
    text = str(body["messages"][-1]["content"])
    answer, sentence = re.findall("“(.*?)”", text)[:2]
    head = re.search(r"name its subject \((.*?)\)", text)
    words = [w for w in re.findall(r"\w+", sentence.replace(answer, " ")) if content(w)]
    title = head[1] if head else ""
    word = next(word for word, look in STARTS if re.search(look, answer))
    if "One question is" in text:
        return f"{word} is the {title} together with {' '.join(words[-2:])}?"
    return f"1. What does it cost?\n2. {word} is the {title} with {' '.join(words[:2])}?"


STARTS = (
    ("When", r"p\.m\.|Mondays|March"),
    ("How much", r"crowns|hours|six"),
    ("Where", r"^(?:at|behind)"),
    ("What", ""),
)
"""How a question for an answer of that look begins."""


class Remembering:
    """A drafter that remembers which answer each of its questions is for."""

    def __init__(self, drafter: Drafter, at_once: int = 1) -> None:
        self.drafter, self.answers, self.at_once = drafter, dict[str, str](), at_once
        self.name, self.fingerprint = drafter.name, drafter.fingerprint

    def draft(self, facts: Sequence[Fact], advance: Advance = unwatched) -> list[list[str]]:
        return self._kept(facts, self.drafter.draft(facts))

    def reword(
        self, facts: Sequence[Fact], questions: Sequence[str], advance: Advance = unwatched
    ) -> list[list[str]]:
        return self._kept(facts, self.drafter.reword(facts, questions))

    def doubts(self, facts: Sequence[Fact], questions: Sequence[str]) -> list[float]:
        return self.drafter.doubts(facts, questions)

    def _kept(self, facts: Sequence[Fact], found: list[list[str]]) -> list[list[str]]:
        for fact, texts in zip(facts, found, strict=True):
            self.answers |= dict.fromkeys(texts, fact.answer)
        return found


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serving(FakeServer(answer=asked_of)) as fake:
        yield fake


def drafted(
    folder: Path, server: FakeServer, by: By = "facts", at_once: int = 1, **options: Any
) -> Made:
    drafter = Remembering(models.named(server.url, None, probe()), at_once)
    return make.make(
        nodes(), sentences.sentences(), lambda count: planned(count, 10, 8, by, 0), folder,
        drafter=drafter, reader=Knowing(drafter.answers), watcher=Silent(),
        documents="abc",
        **options,
    )  # fmt: skip


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_folder_of_documents_becomes_two_files_that_records_reads(
    tmp_path: Path, server: FakeServer
) -> None:
    made = drafted(tmp_path, server)
    test, train = rows(tmp_path / TEST), rows(tmp_path / TRAIN)
    assert made.test == len(test) > 0
    assert made.train == len(train) > 0
    for row in (*test, *train):
        assert row["reviewed"] is False
        if row["kind"] != "unanswerable":
            assert row["response"] in row["evidence"]
            assert row["evidence"] in DOCUMENTS[row["document"]][1]
            assert row["instruction"] != "What does it cost?"
    assert not {row["evidence"] for row in train} & {row["evidence"] for row in test} - {""}
    read = load(tmp_path / TEST, Records(source=TEST), "not in the documents")
    assert len(read.records) == len(test)
    assert not read.bad
    assert all(r.response == "not in the documents" for r in read.records if not r.document)
    assert "ragtune review" in made.summary()


def test_what_was_drafted_is_not_drafted_again(tmp_path: Path, server: FakeServer) -> None:
    drafted(tmp_path, server)
    before, count = (tmp_path / TEST).read_text(), len(server.asked)
    drafted(tmp_path, server)
    assert not [body for _, body in server.asked[count:] if body["max_tokens"] > 1]
    assert (tmp_path / TEST).read_text() == before


def test_documents_drafted_from_at_the_same_time_give_the_same_questions(
    tmp_path: Path, server: FakeServer
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    drafted(one, server)
    drafted(two, server, at_once=2)
    for name in (TEST, TRAIN):
        assert (one / name).read_text() == (two / name).read_text()


def test_the_same_facts_in_other_words_where_wordings_alone_are_kept_apart(
    tmp_path: Path, server: FakeServer
) -> None:
    drafted(tmp_path, server, by="wordings")
    test, train = rows(tmp_path / TEST), rows(tmp_path / TRAIN)
    groups = {row["group"]: row["instruction"] for row in test}
    assert train
    assert all(groups.get(row["group"]) != row["instruction"] for row in train)


def test_two_cannot_draft_into_one_folder(
    tmp_path: Path, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PATIENCE", 0.1)
    other = files.own(tmp_path)
    with pytest.raises(RunError, match=str(tmp_path)):
        drafted(tmp_path, server)
    other.close()
    assert drafted(tmp_path, server).test


def test_reviewed_questions_are_never_written_over(tmp_path: Path, server: FakeServer) -> None:
    drafted(tmp_path, server)
    kept = rows(tmp_path / TEST)
    kept[0]["reviewed"] = True
    (tmp_path / TEST).write_text("".join(json.dumps(row) + "\n" for row in kept))
    with pytest.raises(DocumentsError, match=r"1 of its questions were reviewed.*--output"):
        drafted(tmp_path, server, again=True)
    assert rows(tmp_path / TEST) == kept


def test_questions_of_which_a_person_dropped_some_are_not_written_over(
    tmp_path: Path, server: FakeServer
) -> None:
    drafted(tmp_path, server)
    review = Review(tmp_path / TEST)
    review.take_up()
    review.decide([replace(review.all[0].now, state="dropped")])
    left = rows(tmp_path / TEST)
    with pytest.raises(DocumentsError, match=r"1 of its questions were reviewed.*--output"):
        drafted(tmp_path, server, again=True)
    assert rows(tmp_path / TEST) == left


class Wording:
    """Writes given wordings for each fact, with given doubts."""

    name = fingerprint = "wording"
    at_once = 1

    def __init__(self, doubts: dict[str, float]) -> None:
        self.told = doubts

    def draft(self, facts: Sequence[Fact], advance: Advance = unwatched) -> list[list[str]]:
        return [list(self.told) for _ in facts]

    def reword(
        self, facts: Sequence[Fact], questions: Sequence[str], advance: Advance = unwatched
    ) -> list[list[str]]:
        return [[] for _ in facts]

    def doubts(self, facts: Sequence[Fact], questions: Sequence[str]) -> list[float]:
        return [self.told[question] for question in questions]


NEAR = "How much does the permit for the upper car park cost?"
FAR = "How much is charged for a permit at the garage?"


def asked_about_parking(doubts: dict[str, float], answers: dict[str, str]) -> list[str]:
    """The questions for one fact, with a reader that knows these answers."""
    found = collection()
    fact = next(one for one in found.facts("parking.md") if one.answer == "30 crowns a month")
    drafting = Drafting(
        found, planned(1, 1, 0, "facts", 0), Wording(doubts), Knowing(answers), Silent()
    )
    return [row.instruction for row in drafting._batch({"a": [Chosen(fact, "test")]})[0].rows]


def test_the_test_asks_in_the_wording_that_is_furthest_from_the_sentence() -> None:
    doubts = {NEAR: 0.2, FAR: 0.29}
    assert asked_about_parking(doubts, {NEAR: "30 crowns a month", FAR: "30 crowns a month"}) == [
        FAR
    ]


def test_a_question_that_the_reader_cannot_answer_is_kept_where_the_drafter_is_sure() -> None:
    assert asked_about_parking({FAR: 0.4}, {}) == [FAR]
    assert asked_about_parking({FAR: 0.8}, {}) == []
    assert asked_about_parking({NEAR: 0.52, FAR: 0.54}, {NEAR: "30 crowns a month"}) == [FAR]


def test_a_wording_that_the_drafter_is_much_less_sure_of_is_not_asked() -> None:
    answers = dict.fromkeys((NEAR, FAR), "30 crowns a month")
    (asked,) = asked_about_parking({NEAR: 0.2, FAR: 0.5}, answers)
    assert asked == "What is the price of the permit for the upper car park?"
