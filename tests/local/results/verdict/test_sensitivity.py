from dataclasses import replace

from ragtune.recipe.schema import Needs
from ragtune.results.rates import Rates
from ragtune.results.verdict.reasons import (
    IdleChange,
    MachineTimeChange,
    MoreQuestions,
    NeedChange,
    OtherMetric,
    VolumeChange,
)
from ragtune.results.verdict.rule import recommend
from ragtune.results.verdict.sensitivity import (
    other_metrics,
    sensitivity,
    smallest_difference,
)
from tests.local.results.verdict.figures import evidence, with_arm

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
    assert MachineTimeChange(from_queries_per_month=12_589, arm="tuned") in by_tokens


def test_more_questions_may_show_that_another_part_pays() -> None:
    alike = evidence((0.1, 0.2, 0.68, 0.72), {("rag", "tuned+rag"): 500})
    assert MoreQuestions(more=500, arm="tuned+rag") in sensitivity(Needs(), alike)


def test_the_rule_is_asked_again_under_every_metric() -> None:
    """By the second metric the constant answer is at 0.5, and tuned is the best."""
    first = evidence((0.1, 0.5, 0.9, 0.8))
    second = evidence((0.1, 0.9, 0.6, 0.3))
    both = replace(
        first,
        arms={
            arm: of.model_copy(
                update={"quality": {**of.quality, "other": second.arms[arm].quality["token_f1"]}}
            )
            for arm, of in first.arms.items()
        },
        differences=[
            *first.differences,
            *(d.model_copy(update={"metric": "other"}) for d in second.differences),
        ],
        baselines={**first.baselines, "other": second.baselines["token_f1"]},
    )
    assert recommend(Needs(), both).arm == "rag"
    assert other_metrics(Needs(min_quality=0.85), both) == [
        OtherMetric(metric="other", arm="tuned")
    ]


def test_the_smallest_difference_that_the_questions_show_is_kept() -> None:
    assert smallest_difference(evidence((0.1, 0.5, 0.9, 0.8))) == 0.06
    assert smallest_difference(evidence((0.0, 0.0, 0.9, 0.0))) is None


def test_idle_time_that_decides_is_named_by_what_its_absence_leads_to() -> None:
    """An endpoint of 1,095 a month is over the budget, an import of the same model is not."""
    needs = Needs(queries_per_month=1000, price_per_hour=1, budget_per_month=500)
    kept = RAG_IS_BEST
    for arm, figures in RAG_IS_BEST.arms.items():
        rates = Rates(price_per_hour=1.5, kept_hours=730, tuning_price=0)
        kept = with_arm(kept, arm, cost=figures.cost.model_copy(update={"rates": rates}))
    assert recommend(needs, kept).arm is None
    assert IdleChange(arm="rag") in sensitivity(needs, kept)
    assert not [of for of in sensitivity(needs, RAG_IS_BEST) if isinstance(of, IdleChange)]
