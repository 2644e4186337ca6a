from ragtune.recipe.schema import Needs
from ragtune.results.verdict.sensitivity import sensitivity
from tests.local.results.verdict.figures import figures

RAG_IS_BEST = figures((0.0, 0.5, 0.9, 0.8))


def changes(needs: Needs, of: dict[str, object]) -> dict[str, str | None]:
    return {line["change"]: line["arm"] for line in sensitivity(needs, of)}


def test_what_would_change_the_verdict_is_named_with_the_arm_it_leads_to() -> None:
    assert changes(Needs(), RAG_IS_BEST) == {
        "a p95 limit under 120 ms": "tuned",
        "a token F1 over 0.90 required": None,
    }
    tuned_is_best = figures((0.0, 0.9, 0.5, 0.4))
    assert changes(Needs(), tuned_is_best) == {
        "sources required": "rag",
        "documents change daily": "rag",
        "a p95 limit under 15 ms": None,
        "a token F1 over 0.90 required": None,
    }


def test_a_need_that_decides_is_named_by_what_its_absence_leads_to() -> None:
    found = changes(Needs(p95_latency_ms=20), RAG_IS_BEST)
    assert found["no p95 limit"] == "rag"
    assert found["sources required"] is None
    none = changes(Needs(min_quality=0.95), RAG_IS_BEST)
    assert none == {"no minimum quality": "rag"}


def test_volumes_that_change_the_verdict_are_found_near_the_break_even() -> None:
    alike = figures((0.0, 0.7, 0.72, 0.0), {("tuned", "rag"): 500})
    few = changes(Needs(queries_per_month=100), alike)
    assert few["13,000 queries a month or more"] == "tuned"  # 9,900 cost the same
    many = changes(Needs(queries_per_month=1_000_000), alike)
    assert many["10,000 queries a month or fewer"] == "rag"
    by_tokens = changes(Needs(), alike)
    assert by_tokens["cost by machine time, at few queries a month"] == "rag"
    assert by_tokens["about 500 more questions with answers like these"] == "rag"
