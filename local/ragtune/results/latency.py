"""How long an arm takes: latency of one question alone, throughput in batches."""

from collections.abc import Sequence

import numpy as np

from ragtune.results.rows import AnswerRow, LatencyRow
from ragtune.results.schema import Latency, Throughput


def latency(rows: Sequence[LatencyRow]) -> Latency:
    """Percentiles of the whole and the medians of its parts, in milliseconds."""
    retrieval, prefill, decode = (
        1000 * np.array(part)
        for part in zip(*((r.retrieval, r.prefill, r.decode) for r in rows), strict=True)
    )
    whole = retrieval + prefill + decode
    return Latency(
        p50=round(float(np.percentile(whole, 50)), 3),
        p95=round(float(np.percentile(whole, 95)), 3),
        retrieval_p50=round(float(np.median(retrieval)), 3),
        prefill_p50=round(float(np.median(prefill)), 3),
        decode_p50=round(float(np.median(decode)), 3),
        questions=len(rows),
    )


def throughput(answers: Sequence[AnswerRow]) -> Throughput:
    """Answers and written tokens a second while answers are decoded in batches.

    Retrieval is not in it: the passages of all questions are found beforehand. None where the
    model was asked nothing, for all was refused by score.
    """
    seconds = sum(answer.seconds for answer in answers)
    tokens = sum(answer.completion_tokens for answer in answers)
    if not seconds:
        return Throughput(answers_per_second=None, tokens_per_second=None)
    return Throughput(
        answers_per_second=round(len(answers) / seconds, 3),
        tokens_per_second=round(tokens / seconds, 3),
    )
