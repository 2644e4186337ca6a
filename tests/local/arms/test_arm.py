from collections.abc import Generator, Sequence
from typing import Any

import pytest

from ragtune.arms.answer import ScoreFloor
from ragtune.arms.arm import Arm
from ragtune.models.engines.base import Ability, Completion, Loss, unwatched
from ragtune.prompts.base import Prompt, Row
from ragtune.prompts.instruct import InstructFormat, Template
from ragtune.retrieval.passages import Passage
from ragtune.sources.records import Record

RECORD = Record("When does the harbour open?", "six", context="The harbour opens at six.")
FOUND = Passage("1", "harbour.md", "Hours", "The harbour opens at six.", 0.5)


class Parrot:
    """An engine that writes the same text whatever it is asked, and keeps what it was asked."""

    name = "parrot"
    can: frozenset[Ability] = frozenset({"answer", "stream"})
    fingerprint = ""
    context_length = 512

    def __init__(self, text: str = "six") -> None:
        self.completion = Completion(text, [3, 4], 0.1, 0.1, 2)
        self.asked: list[Prompt] = []
        self.stops: list[int] = []

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        limit: int,
        stops: Sequence[int] = (),
        batch_size: int = 1,
        advance: object = unwatched,
    ) -> list[Completion]:
        self.asked += prompts
        self.stops = list(stops)
        return [self.completion for _ in prompts]

    def stream(
        self, prompt: Prompt, *, limit: int, stops: Sequence[int] = ()
    ) -> Generator[str, None, Completion]:
        self.asked.append(prompt)
        self.stops = list(stops)
        for word in self.completion.text.split():
            yield f"{word} "
        return self.completion

    def loss(self, rows: Sequence[Row], **_: object) -> Loss:
        raise NotImplementedError


class Shelf:
    """Finds the same passage whatever is looked up."""

    def search(self, questions: Sequence[str], /) -> list[list[Passage]]:
        return [[FOUND] for _ in questions]


@pytest.fixture
def form(tiny_tokenizer: Any) -> InstructFormat:
    return InstructFormat(Template(completion="Answer: {response}!"), tiny_tokenizer)


@pytest.mark.parametrize("written", ["Answer: six!", "six"])
def test_answers_are_without_the_words_that_the_completion_puts_around_each(
    form: InstructFormat, written: str
) -> None:
    arm = Arm(Parrot(written), form, 16)
    assert arm.ask(RECORD).text == "six"
    assert [answer.text for answer in arm.ask_all([RECORD], [[]], batch_size=1)] == ["six"]


def test_a_stream_gives_the_text_as_it_is_written_and_then_the_answer(form: InstructFormat) -> None:
    arm = Arm(Parrot("Answer: at six!"), form, 16, retriever=Shelf())
    stream = arm.stream(RECORD)
    assert next(stream) == "Answer: "
    assert list(stream) == ["at ", "six! "]
    assert stream.answer == arm.ask(RECORD)
    assert stream.answer.text == "at six"
    assert [s["document"] for s in stream.answer.sources] == ["harbour.md"]
    assert arm.stream(RECORD).answer == stream.answer


def test_the_prompt_leaves_room_for_the_answer(form: InstructFormat) -> None:
    engine = Parrot()
    engine.context_length = 200
    long = Record("When?", "six", context="long " * 500)
    Arm(engine, form, 16).ask(long)
    assert len(engine.asked[0].ids) <= 200 - 16
    assert engine.asked[0].cut > 0


def test_an_answer_ends_at_the_formats_stops(form: InstructFormat) -> None:
    form.stops = (7,)
    engine = Parrot()
    arm = Arm(engine, form, 16)
    arm.ask(RECORD)
    assert engine.stops == [7]
    engine.stops = []
    assert arm.stream(RECORD).answer.text == "six"
    assert engine.stops == [7]


def test_a_records_own_context_is_shown_or_not(form: InstructFormat) -> None:
    engine = Parrot()
    Arm(engine, form, 16, show_context=True).ask(RECORD)
    Arm(engine, form, 16, show_context=False).ask(RECORD)
    assert ["opens at six" in prompt.text for prompt in engine.asked] == [True, False]


def test_no_model_is_asked_below_the_score_floor_or_where_nothing_was_found(
    form: InstructFormat,
) -> None:
    engine = Parrot()
    arm = Arm(engine, form, 16, retriever=Shelf(), floor=ScoreFloor(0.6, "not in the documents"))
    refused = arm.ask(RECORD)
    assert (refused.text, refused.refused, refused.sources) == ("not in the documents", True, [])
    assert refused.retrieved == 1
    assert list(arm.stream(RECORD)) == ["not in the documents"]
    assert arm.stream(RECORD).answer == refused
    assert arm.latency(RECORD).decode == 0.0
    assert engine.asked == []
    arm.floor = ScoreFloor(0.5, "not in the documents")
    several = arm.ask_all([RECORD, RECORD], [[], [FOUND]])
    assert [answer.refused for answer in several] == [True, False]
    assert len(engine.asked) == 1


def test_a_latency_counts_what_the_engine_took_to_the_first_token(form: InstructFormat) -> None:
    found = Arm(Parrot(), form, 16, retriever=Shelf()).latency(RECORD)
    assert found.prefill >= 0.1
    assert found.retrieval >= 0
