from typing import Any

from local.recipe import Needs
from local.recommend import recommend

ARMS = ("base", "tuned", "rag", "tuned+rag")


def figures(
    quality: tuple[float, ...], worse: dict[tuple[str, str], tuple[float, float]] | None = None
) -> dict[str, Any]:
    """Fixed figures: token F1 by arm; 20 and 120 ms; 50 and 400 tokens; all pairs apart."""
    arms = {
        name: {
            "quality": {"token_f1": {"mean": f1, "ci95": [f1 - 0.05, f1 + 0.05]}},
            "latency_ms": {"p50": 10.0, "p95": 120.0 if "rag" in name else 20.0},
            "tokens": {
                "prompt_mean": 400.0 if "rag" in name else 50.0,
                "completion_mean": 5.0,
            },
        }
        for name, f1 in zip(ARMS, quality, strict=True)
    }
    differences = []
    for n, left in enumerate(ARMS):
        for right in ARMS[n + 1 :]:
            gap = quality[n] - quality[ARMS.index(right)]
            low, high = (worse or {}).get((left, right), (gap - 0.02, gap + 0.02))
            differences.append(
                {
                    "left": left,
                    "right": right,
                    "metric": "token_f1",
                    "mean": gap,
                    "ci95": [low, high],
                }
            )
    return {"arms": arms, "differences": differences}


def test_the_best_arm_is_named_with_why_each_other_is_not() -> None:
    found = recommend(Needs(), figures((0.0, 0.1, 0.7, 0.6)))
    assert found["arm"] == "rag"
    assert found["out"]["tuned+rag"] == "token F1 lower than rag's by 0.10 (0.08 to 0.12)"
    assert found["out"]["base"] == "token F1 lower than rag's by 0.70 (0.68 to 0.72)"


def test_of_arms_that_cannot_be_told_apart_the_cheaper_is_taken() -> None:
    found = recommend(Needs(), figures((0.1, 0.68, 0.70, 0.1), {("tuned", "rag"): (-0.06, 0.02)}))
    assert found["arm"] == "tuned"
    assert found["because"].endswith("not distinguishable from rag")
    assert found["out"]["rag"] == "not distinguishable from tuned, at 405 tokens a question"


def test_needs_rule_arms_out_whatever_their_quality() -> None:
    best_is_rag = figures((0.0, 0.5, 0.9, 0.8))
    assert recommend(Needs(p95_latency_ms=50), best_is_rag)["arm"] == "tuned"
    best_is_tuned = figures((0.0, 0.9, 0.5, 0.4))
    assert recommend(Needs(), best_is_tuned)["arm"] == "tuned"
    assert recommend(Needs(cite_sources=True), best_is_tuned)["arm"] == "rag"
    assert recommend(Needs(documents_change="daily"), best_is_tuned)["arm"] == "rag"


def test_needs_that_no_arm_meets_leave_none() -> None:
    found = recommend(Needs(min_quality=0.95), figures((0.0, 0.1, 0.7, 0.6)))
    assert found["arm"] is None
    assert found["out"]["rag"] == "token F1 0.70, under needs.min_quality 0.95"


def test_arms_that_answer_nothing_are_no_basis_for_a_choice() -> None:
    found = recommend(Needs(), figures((0.0, 0.01, 0.02, 0.03)))
    assert found["arm"] is None
    assert "too weak" in found["because"]
