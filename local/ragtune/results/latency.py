"""How long an arm takes: latency of one question alone, throughput in batches."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

PARTS = ("retrieval", "prefill", "decode")


def brief(seconds: float) -> str:
    """Seconds to three significant digits, never with an exponent above 100."""
    return f"{seconds:,.0f}" if seconds >= 100 else f"{seconds:.3g}"


def latency_ms(rows: Sequence[Mapping[str, float]]) -> dict[str, float | int]:
    """Percentiles of the whole and the medians of its parts, from ``latency/<arm>.jsonl``."""
    parts = {part: 1000 * np.array([row[part] for row in rows]) for part in PARTS}
    whole = sum(parts.values())
    return {
        "p50": round(float(np.percentile(whole, 50)), 3),
        "p95": round(float(np.percentile(whole, 95)), 3),
        **{f"{part}_p50": round(float(np.median(ms)), 3) for part, ms in parts.items()},
        "questions": len(rows),
    }


def throughput(answers: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Answers and written tokens a second while answers are decoded in batches.

    Retrieval is not in it: the passages of all questions are found beforehand. None where the
    model was asked nothing, for all was refused by score.
    """
    seconds = sum(answer["seconds"] for answer in answers)
    tokens = sum(answer["completion_tokens"] for answer in answers)
    if not seconds:
        return {"answers_per_second": None, "tokens_per_second": None}
    return {
        "answers_per_second": round(len(answers) / seconds, 3),
        "tokens_per_second": round(tokens / seconds, 3),
    }
