from collections.abc import Sequence
from typing import Any

import pytest

from ragtune.arms.arm import Arm
from ragtune.arms.ask_all import ask
from ragtune.models.engines.base import Engine, Loss
from ragtune.prompts.instruct import InstructFormat, Template
from ragtune.recipe.schema import Study
from ragtune.retrieval.passages import Passage
from ragtune.sources.records import Record
from tests.conftest import FACTS
from tests.local.models.engines.quoting import QuotingEngine

RECORDS = [Record(question, answer) for *_, question, answer in FACTS]


class Library:
    """Finds the passage that holds most of a question's words, and another one."""

    def search(self, questions: Sequence[str], /) -> list[list[Passage]]:
        held = [Passage(name, name, "", text, 0.9) for name, _, text, *_ in FACTS]
        return [
            sorted(held, key=lambda p: -len({*q.lower().split()} & {*p.text.lower().split()}))[:2]
            for q in questions
        ]


@pytest.fixture
def arm(tiny_tokenizer: Any) -> Arm:
    engine: Engine = QuotingEngine()
    return Arm(engine, InstructFormat(Template(), tiny_tokenizer), 12, retriever=Library())


def test_an_engine_that_is_one_file_drives_an_arm_from_question_to_figures(arm: Arm) -> None:
    study = Study(max_new_tokens=12, latency_questions=2, batch_size=4)
    answers, latencies = ask(arm, RECORDS, arm.retrieve(RECORDS), study, lambda done, total: None)
    assert [a.text for a in answers] == [sentence for _, _, sentence, *_ in FACTS]
    assert all(a.sources and a.support[0]["supported"] for a in answers)
    assert [a.completion_tokens for a in answers] == [len(s.split()) for _, _, s, *_ in FACTS]
    assert len(latencies) == 2


def test_an_engine_that_cannot_stream_gives_its_answer_in_one_piece(arm: Arm) -> None:
    stream = arm.stream(RECORDS[0])
    assert list(stream) == ["The harbour opens at six."]
    assert stream.answer == arm.ask(RECORDS[0])


def test_a_loss_is_summed_and_has_a_mean() -> None:
    assert Loss(6.0, 4).mean == 1.5
