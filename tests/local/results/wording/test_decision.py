"""Every sentence about a verdict, once."""

import pytest

from ragtune.results import wording
from ragtune.results.faults import (
    AnswersUnchanged,
    FewSteps,
)
from ragtune.results.rates import BreakEven
from ragtune.results.verdict.measured import (
    BrokenMeasured,
    FewLabelsMeasured,
    FreshnessMeasured,
    GainMeasured,
    LatencyMeasured,
    Measured,
    OnceMeasured,
    QualityMeasured,
    ThroughputMeasured,
    Unmeasured,
)
from ragtune.results.verdict.reasons import (
    AtFault,
    Because,
    Change,
    Chosen,
    ConstantWins,
    Dead,
    LearntOnly,
    MachineTimeChange,
    MoreQuestions,
    NeedChange,
    NeedsUnmet,
    NoSources,
    NotBetter,
    NothingAnswered,
    OverBudget,
    Reason,
    Spending,
    StudyAtFault,
    TooPoor,
    TooSlow,
    TooStale,
    Undecided,
    VolumeChange,
    Worse,
)

F1 = "token_f1"
STEPS = FewSteps(severity="forbids", arms=("tuned",), steps=5)
UNCHANGED = AnswersUnchanged(
    severity="forbids", arms=("tuned",), other="base", same=99, questions=100
)
UNDECIDED = Undecided(
    metric=F1,
    questions=5,
    least=30,
    few=True,
    leading="rag",
    mean=0.5,
    other=None,
    more_questions=25,
    smallest=None,
)
TOKENS = Spending(unit="tokens a question", amount=405.2, price=None)
HOURS = Spending(unit="machine seconds a month", amount=36_300, price=20.17)


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (
            Chosen(metric=F1, mean=0.64, spending=TOKENS, not_different_from=None),
            "token F1 0.64 at 405 tokens a question",
        ),
        (
            Chosen(metric=F1, mean=0.5, spending=HOURS, not_different_from="rag"),
            "token F1 0.50 at 10.1 machine hours a month (20.17), not significantly different "
            "from rag",
        ),
        (NeedsUnmet(), "no arm meets every need; relax one, or use a larger model"),
        (
            NothingAnswered(metric=F1, least=0.05, needs_failed=False),
            "no arm reaches token F1 0.05; the model is too weak for these questions",
        ),
        (
            NothingAnswered(metric=F1, least=0.05, needs_failed=True),
            "no arm that meets the needs reaches token F1 0.05; relax one",
        ),
        (
            ConstantWins(metric=F1, answer="cards", mean=0.6, needs_failed=False),
            "no arm scores higher than always answering 'cards', token F1 0.60",
        ),
        (UNDECIDED, "5 questions are too few for a verdict; about 25 more questions are needed"),
        (
            UNDECIDED.model_copy(update={"few": False, "other": "base", "more_questions": None}),
            "rag, token F1 0.50, is not significantly better than base",
        ),
        (
            StudyAtFault(metric=F1, leading="rag", mean=0.5, faults=[STEPS]),
            "the best, rag, has token F1 0.50; tuned: 5 optimiser steps in all, where about 60 are "
            "needed; raise tune.epoch or lower the batch size; left out of the recipe, both suit "
            "the rows",
        ),
    ],
)
def test_why_an_arm_is_chosen_or_none(why: Because, words: str) -> None:
    assert wording.because(why) == words


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (
            Dead(
                criterion="right answers",
                metric=F1,
                mean=0.04,
                floor=0.05,
                constant=None,
                answer=None,
            ),
            "token F1 0.04, answers next to nothing",
        ),
        (
            Dead(
                criterion="right answers",
                metric=F1,
                mean=0.5,
                floor=0.05,
                constant=0.6,
                answer="cards",
            ),
            "token F1 0.50, not above 0.60 of always answering 'cards'",
        ),
        (
            AtFault(criterion="right answers", metric=F1, mean=0.1, faults=[UNCHANGED]),
            "token F1 0.10, which says little: tuned answers as base does in 99 of 100 questions, "
            "so tuning changed next to nothing",
        ),
        (
            TooSlow(criterion="low latency", p95_ms=120.4, limit_ms=20),
            "p95 latency 120 ms, over needs.p95_latency_ms 20",
        ),
        (
            TooPoor(criterion="predictable quality", metric=F1, mean=0.7, limit=0.95),
            "token F1 0.70, under needs.min_quality 0.95",
        ),
        (
            NoSources(criterion="sources"),
            "cites no sources, and needs.cite_sources asks for them",
        ),
        (
            LearntOnly(criterion="changing data", seconds=3601),
            "does not read the documents until it is tuned again (3,601 s), and "
            "needs.documents_change is daily",
        ),
        (
            LearntOnly(criterion="changing data", seconds=None),
            "does not read the documents, and needs.documents_change is daily",
        ),
        (
            TooStale(criterion="changing data", seconds=691_200, documents_change="weekly"),
            "answers by a changed document after 691,200 s; they change weekly",
        ),
        (
            OverBudget(criterion="high throughput", price=80, limit=25),
            "80.00 a month, over needs.budget_per_month 25",
        ),
        (
            Worse(criterion="wide knowledge", other="rag", metric=F1, mean=0.1, ci95=(0.08, 0.12)),
            "token F1 lower than rag's by 0.10 (0.08 to 0.12)",
        ),
        (
            NotBetter(
                criterion="high throughput",
                other="tuned",
                spending=TOKENS,
                close=False,
                more_questions=1234,
            ),
            "not significantly different from tuned, at 405 tokens a question, and has more parts; "
            "about 1,200 more questions would show which",
        ),
        (
            NotBetter(
                criterion="narrow task",
                other="tuned",
                spending=TOKENS,
                close=True,
                more_questions=None,
                tie="order",
            ),
            "not significantly different from tuned, at 405 tokens a question, about the same "
            "cost, and has parts that are harder to keep up",
        ),
    ],
)
def test_why_an_arm_is_not_the_one(why: Reason, words: str) -> None:
    assert wording.reason(why) == words


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (
            QualityMeasured(
                metric=F1, tuned=0.68, rag=0.7, different=False, questions=40, by="document"
            ),
            "token F1 0.68 by tuning, 0.70 by retrieval over 40 questions; not significantly "
            "different",
        ),
        (Unmeasured(why="none_inside"), "too few questions about what the records cover"),
        (
            BrokenMeasured(right=20, tuned=0, rag=5),
            "of 20 answers that base had right tuning broke 0, retrieval 5",
        ),
        (LatencyMeasured(tuned=417, rag=1175), "p95 of 417 ms by tuning, 1175 ms by retrieval"),
        (
            ThroughputMeasured(tuned=81.2, rag=422),
            "1,000 queries take 81.2 s by tuning, 422 s by retrieval",
        ),
        (
            GainMeasured(metric=F1, records=2000, mean=-0.004, ci95=(-0.05, 0.05)),
            "2,000 records moved token F1 by -0.00 (-0.05 to +0.05)",
        ),
        (
            FewLabelsMeasured(metric=F1, rag=0.5, tuned=0.2, records=40),
            "retrieval reaches 0.50 without a record; tuning 0.20 with 40",
        ),
        (
            FreshnessMeasured(tuned=3601, rag=37, followed=0, changes=5),
            "from a changed document to an answer 37 s by indexing, 3,601 s by tuning again; "
            "0 of 5 answers followed the index",
        ),
        (OnceMeasured(tuned=121, rag=3.18), "3.18 s of indexing, 121 s of tuning"),
    ],
)
def test_what_a_criterion_was_held_against(what: Measured, words: str) -> None:
    assert wording.measurement(what) == words


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (NeedChange(need="cite_sources", value=True, arm=None), "sources required"),
        (NeedChange(need="cite_sources", value=False, arm=None), "no sources required"),
        (
            NeedChange(need="documents_change", value="never", arm=None),
            "documents that never change",
        ),
        (NeedChange(need="documents_change", value="daily", arm=None), "documents change daily"),
        (NeedChange(need="p95_latency_ms", value=119.6, arm=None), "a p95 limit under 120 ms"),
        (NeedChange(need="p95_latency_ms", value=None, arm=None), "no p95 limit"),
        (NeedChange(need="min_quality", value=0.9, arm=None), "a token F1 over 0.90 required"),
        (NeedChange(need="min_quality", value=None, arm=None), "no minimum quality"),
        (NeedChange(need="budget_per_month", value=None, arm=None), "no budget"),
        (
            VolumeChange(queries_per_month=12_589, side="more", arm=None),
            "13,000 queries a month or more",
        ),
        (
            MachineTimeChange(from_queries_per_month=0, arm=None),
            "cost by machine time, at few queries a month",
        ),
        (
            MachineTimeChange(from_queries_per_month=501, arm=None),
            "cost by machine time, from 500 queries a month",
        ),
        (MoreQuestions(more=548, arm=None), "about 550 more questions with answers like these"),
    ],
)
def test_what_would_change_the_verdict(what: Change, words: str) -> None:
    assert wording.change(what, F1) == words


@pytest.mark.parametrize(
    ("queries", "up_to", "words"),
    [
        (488.2, None, "less than rag from 488 queries a month"),
        (0.0, None, "less than rag from the first query"),
        (None, None, "more than rag at any number of queries"),
        (0.0, 1234.5, "less than rag up to 1,234 queries a month"),
    ],
)
def test_where_tuning_pays(queries: float | None, up_to: float | None, words: str) -> None:
    found = BreakEven(documents_change="never", queries_per_month=queries, up_to=up_to)
    assert wording.break_even(found) == (
        f"break-even: tuned costs {words} (documents change: never; this machine's seconds)"
    )
    assert wording.break_even(None) == ""
