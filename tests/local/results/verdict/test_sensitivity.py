from ragtune.recipe.schema import Needs
from ragtune.results.verdict.reasons import (
    MachineTimeChange,
    MoreQuestions,
    NeedChange,
    VolumeChange,
)
from ragtune.results.verdict.sensitivity import sensitivity
from tests.local.results.verdict.figures import evidence

RAG_IS_BEST = evidence((0.0, 0.5, 0.9, 0.8))


def test_what_would_change_the_verdict_is_named_with_the_arm_it_leads_to() -> None:
    assert sensitivity(Needs(), RAG_IS_BEST) == [
        NeedChange(need="p95_latency_ms", value=120.0, arm="tuned"),
        NeedChange(need="min_quality", value=0.9, arm=None),
    ]
    assert sensitivity(Needs(), evidence((0.0, 0.9, 0.5, 0.4))) == [
        NeedChange(need="cite_sources", value=True, arm="rag"),
        NeedChange(need="documents_change", value="daily", arm="rag"),
        NeedChange(need="p95_latency_ms", value=15.0, arm=None),
        NeedChange(need="min_quality", value=0.9, arm=None),
    ]


def test_a_need_that_decides_is_named_by_what_its_absence_leads_to() -> None:
    found = sensitivity(Needs(p95_latency_ms=20), RAG_IS_BEST)
    assert NeedChange(need="p95_latency_ms", value=None, arm="rag") in found
    assert NeedChange(need="cite_sources", value=True, arm=None) in found
    none = sensitivity(Needs(min_quality=0.95), RAG_IS_BEST)
    assert none == [NeedChange(need="min_quality", value=None, arm="rag")]


def test_volumes_that_change_the_verdict_are_found_near_the_break_even() -> None:
    alike = evidence((0.0, 0.7, 0.72, 0.0), {("tuned", "rag"): 500})
    few = sensitivity(Needs(queries_per_month=100), alike)
    more = VolumeChange(queries_per_month=12_589, side="more", arm="tuned")
    assert more in few  # 9,900 cost the same
    many = sensitivity(Needs(queries_per_month=1_000_000), alike)
    assert VolumeChange(queries_per_month=10_000, side="fewer", arm="rag") in many
    by_tokens = sensitivity(Needs(), alike)
    assert MachineTimeChange(from_queries_per_month=0, arm="rag") in by_tokens
    assert MoreQuestions(more=500, arm="rag") in by_tokens
