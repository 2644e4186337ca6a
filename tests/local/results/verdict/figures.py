"""Fixed evidence of a study, for the tests on the rule."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ragtune.recipe.arms import USUAL as ARMS
from ragtune.recipe.arms import Arm, is_tuned, reads_documents
from ragtune.results.parts import Baseline, Mean, Paired
from ragtune.results.rates import Cost
from ragtune.results.schema import (
    ArmFigures,
    Difference,
    DocumentChange,
    Failures,
    Freshness,
    Latency,
    Refusal,
    Step,
    Throughput,
    Tokens,
)
from ragtune.results.verdict.evidence import Evidence

METRIC = "token_f1"
Pair = tuple[Arm, Arm]


def evidence(
    quality: tuple[float, ...],
    alike: Mapping[Pair, int] | None = None,
    tokens: tuple[float, ...] = (55.0, 55.0, 405.0, 405.0),
) -> Evidence:
    """Token F1 by arm over 100 questions; all pairs differ but ``alike``.

    P95 is 15 ms, 120 ms with retrieval. The best constant answer, "six", is at 0.02; arms from 0.1
    are significantly above it.

    ``alike`` maps pairs that do not differ significantly to how many more questions it would take.
    Tuning takes an hour, indexing 36 s, an answer by a changed document one second more; 1,000
    queries take 10 s, 40 s with retrieval. Of 8 answers that base had right tuning broke 1,
    retrieval 4.
    """
    alike = alike or {}
    return Evidence(
        metric=METRIC,
        questions=100,
        arms={
            name: _arm(name, mean, spent)
            for name, mean, spent in zip(ARMS, quality, tokens, strict=True)
        },
        differences=[
            _difference(left, right, quality[n] - quality[ARMS.index(right)], alike)
            for n, left in enumerate(ARMS)
            for right in ARMS[n + 1 :]
        ],
        baselines={METRIC: baseline(0.02, dict(zip(ARMS, quality, strict=True)))},
        faults=[],
        failures=Failures(
            right={"base": 8},
            flips={},
            steps=[
                Step(adds="retrieval", before="base", after="rag", fixed=0, broke=4),
                Step(adds="tuning", before="base", after="tuned", fixed=0, broke=1),
            ],
            causes={},
            questions=[],
        ),
        records=400,
        freshness=fresh(followed=4),
        curve=None,
        coverage=None,
    )


def baseline(mean: float, quality: Mapping[Arm, float]) -> Baseline:
    """A constant answer, and arms that are significantly above it from 0.08 more on."""
    against = {}
    for arm, value in quality.items():
        gap = value - mean
        against[arm] = Paired(
            left=arm,
            right="constant",
            mean=gap,
            ci95=(gap - 0.02, gap + 0.02),
            p=0.01,
            p_holm=0.02,
            different=abs(gap) >= 0.08,
            more_questions=None if abs(gap) >= 0.08 else 250,
            smallest=0.08,
        )
    return Baseline(answer="six", mean=mean, against=against)


def fresh(*, followed: int) -> Freshness:
    """Five changed documents, of which so many answers followed."""
    change = DocumentChange(
        document="a.md",
        question="q",
        fact="f",
        before="b",
        after="f",
        shown=True,
        followed=True,
        index_seconds=36.0,
        answer_seconds=1.0,
    )
    return Freshness(reindex_seconds=37.0, shown=5, followed=followed, changes=[change] * 5)


def with_arm(of: Evidence, name: Arm, **changes: Any) -> Evidence:
    """The evidence with some of an arm's figures replaced."""
    return replace(of, arms={**of.arms, name: of.arms[name].model_copy(update=changes)})


def with_p95(of: Evidence, name: Arm, ms: float) -> Evidence:
    """The evidence with another 95th percentile."""
    times = of.arms[name].latency_ms.model_copy(update={"p95": ms})
    return with_arm(of, name, latency_ms=times)


def _arm(name: Arm, mean: float, spent: float) -> ArmFigures:
    p95 = 120.0 if reads_documents(name) else 15.0
    return ArmFigures(
        quality={METRIC: Mean(mean=mean, ci95=(mean - 0.05, mean + 0.05))},
        right=Mean(mean=mean, ci95=(mean - 0.05, mean + 0.05)),
        right_by_seed=[round(100 * mean)],
        seeds=[mean],
        categories={},
        refusal=Refusal(unanswerable_refused=None, answerable_refused=None),
        grounded=None,
        latency_ms=Latency(
            p50=10.0, p95=p95, retrieval_p50=0.0, prefill_p50=5.0, decode_p50=5.0, questions=8
        ),
        throughput=Throughput(answers_per_second=1.0, tokens_per_second=5.0),
        tokens=Tokens(prompt_mean=spent - 5, completion_mean=5.0, cut_prompts=0, cut_passages=0),
        cost=Cost(
            tuning_seconds=3600.0 if is_tuned(name) else 0.0,
            indexing_seconds=36.0 if reads_documents(name) else 0.0,
            seconds_per_1000=40.0 if reads_documents(name) else 10.0,
            initial_price=None,
            price_per_1000=None,
            initial_kwh=None,
            kwh_per_1000=None,
        ),
        freshness_seconds={"base": None, "tuned": 3601.0}.get(name, 37.0),
    )


def _difference(left: Arm, right: Arm, gap: float, alike: Mapping[Pair, int]) -> Difference:
    different = (left, right) not in alike and gap != 0
    return Difference(
        metric=METRIC,
        left=left,
        right=right,
        mean=gap,
        ci95=(gap - 0.02, gap + 0.02),
        p=0.01 if different else 0.5,
        p_holm=0.02 if different else 1.0,
        different=different,
        more_questions=alike.get((left, right)),
        smallest=0.06,
    )
