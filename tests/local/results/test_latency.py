import pytest

from ragtune.results.latency import latency_ms, throughput


def test_latency_is_split_into_its_parts() -> None:
    rows = [{"retrieval": 0.01, "prefill": 0.005 * n, "decode": 0.01 * n} for n in (1, 2, 3)]
    assert latency_ms(rows) == {
        "p50": 40.0,
        "p95": pytest.approx(53.5),
        "retrieval_p50": 10.0,
        "prefill_p50": 10.0,
        "decode_p50": 20.0,
        "questions": 3,
    }


def test_throughput_is_over_the_whole_of_the_batches() -> None:
    answers = [{"seconds": 0.1, "completion_tokens": 3}, {"seconds": 0.3, "completion_tokens": 5}]
    assert throughput(answers) == {"answers_per_second": 5.0, "tokens_per_second": 20.0}


def test_where_all_was_refused_unasked_there_is_no_throughput() -> None:
    refused = [{"seconds": 0.0, "completion_tokens": 0}] * 2
    assert throughput(refused) == {"answers_per_second": None, "tokens_per_second": None}
