"""Ask an arm all the questions, and a few of them again, alone, to time them."""

from collections.abc import Sequence
from typing import TypeVar

from ragtune.arms.answer import Answer, Latency
from ragtune.arms.arm import Arm
from ragtune.core.progress import Advance
from ragtune.recipe.schema import Study
from ragtune.retrieval.passages import Passage
from ragtune.sources.records import Record

Asked = TypeVar("Asked")


def ask(
    arm: Arm,
    questions: Sequence[Record],
    found: Sequence[Sequence[Passage]],
    study: Study,
    advance: Advance,
) -> tuple[list[Answer], list[Latency]]:
    """The answers in the order of the questions, and single-stream latencies.

    Latency is taken on ``latency_questions`` of them, spread evenly over the file so that every
    arm is timed on the same ones, after one that is not counted.
    """
    timed = spread(questions, study.latency_questions)
    total = len(questions) + len(timed)
    answers = arm.ask_all(questions, found, study.batch_size, lambda done, _: advance(done, total))
    arm.latency(timed[0])
    latencies = []
    for number, question in enumerate(timed, 1):
        latencies.append(arm.latency(question))
        advance(len(questions) + number, total)
    return answers, latencies


def spread(questions: Sequence[Asked], count: int) -> list[Asked]:
    """``count`` of the questions at even distances, or all where there are fewer."""
    count = min(count, len(questions))
    return [questions[n * len(questions) // count] for n in range(count)]
