"""The three lines, for each kind of verdict."""

import re
from typing import Any

import pytest

from ragtune.recipe.arms import Arm
from ragtune.results.faults import AnyFault, FewSteps
from ragtune.results.parts import Mean
from ragtune.results.schema import Results
from ragtune.results.summary import summarise
from ragtune.results.verdict.reasons import (
    AtFault,
    Because,
    Change,
    Chosen,
    ConstantWins,
    Dead,
    MoreQuestions,
    NeedChange,
    NeedsUnmet,
    NoSources,
    NotBetter,
    NothingAnswered,
    Reason,
    Spending,
    StudyAtFault,
    Undecided,
    VolumeChange,
    Worse,
)
from tests.local.results.made_up import write_run

ARMS: tuple[Arm, ...] = ("base", "tuned", "rag", "tuned+rag")
ALL: tuple[Arm, ...] = ("base", "fewshot", "tuned", "rag-records", "rag", "tuned+rag")
TOKENS = Spending(unit="tokens a question", amount=200, price=None)
CHOSEN = Chosen(metric="right", mean=0.7, spending=TOKENS, not_different_from=None)
STEPS = FewSteps(severity="forbids", arms=("tuned", "tuned+rag"), steps=19)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return write_run(tmp_path_factory.mktemp("run"), ARMS)


def not_better(other: Arm, more: int | None = None) -> NotBetter:
    return NotBetter(
        criterion="narrow task", other=other, spending=TOKENS, close=True, more_questions=more
    )


def worse(other: Arm) -> Worse:
    return Worse(criterion="wide knowledge", other=other, metric="right", mean=0.5, ci95=(0.4, 0.6))


def told(
    made: Results,
    arm: Arm | None,
    because: Because = CHOSEN,
    out: dict[Arm, Reason] | None = None,
    *,
    changes: list[Change] | None = None,
    faults: list[AnyFault] | None = None,
    **right: int,
) -> tuple[str, list[str]]:
    counts = {name: right.get(re.sub("[+-]", "_", name), 0) for name in ALL}
    arms = {
        name: of.model_copy(update={"right": Mean(mean=counts[name] / 100, ci95=(0.0, 1.0))})
        for name, of in made.arms.items()
    }
    choice = made.recommendation.model_copy(
        update={"arm": arm, "because": because, "out": out or {}, "sensitivity": changes or []}
    )
    update: dict[str, Any] = {
        "recommendation": choice,
        "questions": 100,
        "arms": arms,
        "faults": faults or [],
    }
    summary = summarise(made.model_copy(update=update))
    return summary.state, summary.lines


def test_retrieval_to_which_tuning_adds_nothing(made: Results) -> None:
    out: dict[Arm, Reason] = {"tuned": worse("rag"), "tuned+rag": not_better("rag")}
    assert told(made, "rag", out=out, tuned=20, rag=71, tuned_rag=70) == (
        "decided",
        [
            "Use retrieval: 71 of 100 right, 0.03 s an answer.",
            "Tuning adds nothing measurable (70 of 100); tuning alone has 20.",
        ],
    )


def test_the_arms_that_are_there_for_fairness_are_named_beside_the_chosen_one(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    six = write_run(tmp_path_factory.mktemp("six"), ALL)
    out: dict[Arm, Reason] = {
        "tuned": worse("rag"),
        "tuned+rag": not_better("rag"),
        "rag-records": worse("rag"),
    }
    assert told(six, "rag", out=out, tuned=20, rag=71, tuned_rag=70, rag_records=31)[1][1] == (
        "Tuning adds nothing measurable (70 of 100); tuning alone has 20; retrieval over the "
        "training records has 31."
    )
    out = {"rag": worse("tuned"), "tuned+rag": worse("tuned"), "fewshot": worse("tuned")}
    assert told(six, "tuned", out=out, tuned=95, tuned_rag=61, fewshot=40)[1][1] == (
        "Retrieval on top makes it worse (61 of 100); retrieval alone has 0; examples in the "
        "prompt have 40."
    )
    out = {"fewshot": not_better("base"), "rag": worse("base"), "tuned": worse("base")}
    assert told(six, "base", out=out, base=50, fewshot=52)[1][1].endswith(
        "; examples in the prompt add nothing measurable (52)."
    )
    out = {"tuned": not_better("fewshot"), "rag": worse("fewshot")}
    assert told(six, "fewshot", out=out, fewshot=60, tuned=61)[1] == [
        "Use examples in the prompt: 60 of 100 right, 0.03 s an answer.",
        "Tuning is not measurably worse (61 of 100); retrieval has 0.",
    ]


def test_tuning_that_retrieval_makes_worse_and_what_would_change_it(made: Results) -> None:
    out: dict[Arm, Reason] = {"rag": worse("tuned"), "tuned+rag": worse("tuned")}
    changes: list[Change] = [
        NeedChange(need="p95_latency_ms", value=20.0, arm=None),
        NeedChange(need="cite_sources", value=True, arm="tuned+rag"),
        VolumeChange(queries_per_month=12_000, side="more", arm="tuned+rag"),
    ]
    assert told(made, "tuned", out=out, changes=changes, tuned=95, rag=0, tuned_rag=61)[1] == [
        "Use tuning: 95 of 100 right, 0.03 s an answer.",
        "Retrieval on top makes it worse (61 of 100); retrieval alone has 0.",
        "If sources must be cited: use retrieval and tuning together.",
    ]


def test_what_is_open_is_said_with_the_questions_that_it_takes(made: Results) -> None:
    out: dict[Arm, Reason] = {"tuned": worse("rag"), "tuned+rag": not_better("rag", 548)}
    changes: list[Change] = [MoreQuestions(more=548, arm="tuned+rag")]
    lines = told(made, "rag", out=out, changes=changes, rag=70, tuned_rag=71)[1]
    assert lines[2] == (
        "Whether tuning adds anything is undecided; about 550 more questions would tell."
    )


def test_a_way_without_a_fair_chance_is_not_called_useless(made: Results) -> None:
    at_fault = AtFault(criterion="right answers", metric="right", mean=0.0, faults=[STEPS])
    out: dict[Arm, Reason] = {"tuned": at_fault, "tuned+rag": not_better("rag")}
    state, lines = told(made, "rag", out=out, faults=[STEPS], tuned=20, rag=62, tuned_rag=62)
    assert state == "decided"
    assert lines[1] == "Tuning on top had no fair chance here (62 of 100); tuning alone has 20."
    assert lines[2].startswith(
        "Why: tuned and tuned+rag: 19 optimiser steps in all, where about 60 are needed; "
    )


def test_a_better_way_that_fails_a_need_is_named_with_the_need(made: Results) -> None:
    out: dict[Arm, Reason] = {
        "tuned": NoSources(criterion="sources"),
        "tuned+rag": not_better("rag"),
    }
    lines = told(made, "rag", out=out, tuned=95, rag=60, tuned_rag=60)[1]
    assert lines[1].endswith("; tuning alone has 95 right, but cites no sources.")


@pytest.mark.parametrize(
    ("because", "state", "lines"),
    [
        (
            StudyAtFault(metric="right", leading="base", mean=0.0, faults=[STEPS, STEPS]),
            "forbidden",
            ["No verdict: the study is at", "Tuned and tuned+rag: 19 optimiser", "Mend that and"],
        ),
        (
            Undecided(
                metric="right", questions=5, least=30, few=True, leading="rag", mean=0.8,
                other="tuned", more_questions=25, smallest=None,
            ),
            "undecided",
            ["Undecided: 5 questions are too few", "The most right: ", "About 25 more would tell."],
        ),
        (
            Undecided(
                metric="right", questions=50, least=30, few=False, leading="rag", mean=0.8,
                other=None, more_questions=None, smallest=0.1,
            ),
            "undecided",
            ["Undecided: retrieval is not measurably better than always giving the same answer."],
        ),
        (NeedsUnmet(), "undecided", ["Use none of them: no way meets every need"]),
        (
            ConstantWins(metric="right", answer="no", mean=0.9, needs_failed=False),
            "undecided",
            ["Use none of them: always giving the same answer is right as often."],
        ),
        (
            NothingAnswered(metric="right", least=0.05, needs_failed=False),
            "undecided",
            ["Use none of them: the model answers next to nothing"],
        ),
    ],
)  # fmt: skip
def test_without_an_arm_the_first_line_says_why(
    made: Results, because: Because, state: str, lines: list[str]
) -> None:
    found = told(made, None, because, rag=1)
    assert found[0] == state
    assert len(found[1]) <= 3
    for line, start in zip(found[1], lines, strict=False):
        assert line.startswith(start)
    assert any("retrieval, 1 of 100" in line for line in found[1])


def test_a_dead_arm_is_only_a_number(made: Results) -> None:
    dead = Dead(
        criterion="right answers", metric="right", mean=0.0, floor=0.05, constant=None, answer=None
    )
    out: dict[Arm, Reason] = {"rag": dead, "tuned+rag": not_better("tuned")}
    lines = told(made, "tuned", out=out, tuned=90, tuned_rag=90)[1]
    assert lines[1] == ("Retrieval adds nothing measurable (90 of 100); retrieval alone has 0.")
