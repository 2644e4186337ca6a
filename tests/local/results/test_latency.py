import pytest

from ragtune.results.latency import latency, throughput
from ragtune.results.rows import AnswerRow, LatencyRow
from ragtune.results.schema import Throughput


def answer(seconds: float, tokens: int) -> AnswerRow:
    return AnswerRow(
        question="",
        text="",
        prompt_tokens=1,
        completion_tokens=tokens,
        cut_tokens=0,
        seconds=seconds,
    )


def test_latency_is_split_into_its_parts() -> None:
    rows = [LatencyRow(retrieval=0.01, prefill=0.005 * n, decode=0.01 * n) for n in (1, 2, 3)]
    assert latency(rows).to_json() == {
        "p50": 40.0,
        "p95": pytest.approx(53.5),
        "retrieval_p50": 10.0,
        "prefill_p50": 10.0,
        "decode_p50": 20.0,
        "questions": 3,
    }


def test_throughput_is_over_the_whole_of_the_batches() -> None:
    found = throughput([answer(0.1, 3), answer(0.3, 5)])
    assert found == Throughput(answers_per_second=5.0, tokens_per_second=20.0)


def test_where_all_was_refused_unasked_there_is_no_throughput() -> None:
    nothing = Throughput(answers_per_second=None, tokens_per_second=None)
    assert throughput([answer(0.0, 0)] * 2) == nothing
