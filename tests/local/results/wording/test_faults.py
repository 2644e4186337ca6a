"""Every sentence about a fault, once."""

import pytest

from ragtune.results import wording
from ragtune.results.faults import (
    AnswersCut,
    AnswersFailed,
    AnswersUnchanged,
    AnyFault,
    FewLatencies,
    FewQuestions,
    FewSteps,
    LongReferences,
    LossUnmoved,
    NotLearnt,
    NoValidation,
    OtherAdapter,
    ResidueDropped,
)

STEPS = FewSteps(severity="forbids", arms=("tuned",), steps=5)
UNCHANGED = AnswersUnchanged(
    severity="forbids", arms=("tuned",), other="base", same=99, questions=100
)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (FewQuestions(severity="forbids", arms=(), questions=9), "9 questions are too few"),
        (
            AnswersCut(severity="weakens", arms=("rag",), limit=8, cut={"rag": 7}, questions=9),
            "cut at 8 tokens: rag 7; raise study.max_new_tokens, or teach the model to stop",
        ),
        (
            LongReferences(
                severity="forbids", arms=(), limit=24, longer=6, questions=9, longest=208
            ),
            "6 of 9 references are longer than study.max_new_tokens 24; set it to 208 or more",
        ),
        (ResidueDropped(severity="weakens", arms=(), share=0.24), "24% of the training tokens"),
        (NoValidation(severity="weakens", arms=()), "no validation sample"),
        (
            LossUnmoved(severity="forbids", arms=(), base=3.5, tuned=3.49),
            "base 3.500, tuned 3.490 nats a token",
        ),
        (FewLatencies(severity="weakens", arms=(), questions=8), "percentiles are of 8 questions"),
        (
            AnswersFailed(severity="weakens", arms=("rag",), failed={"rag": 3}, questions=9),
            "of 9 questions each, some were answered with an error and count as wrong: rag 3",
        ),
        (
            OtherAdapter(severity="forbids", arms=("tuned",), adapter="tuned+rag"),
            "tuned was asked of the model that was tuned for tuned+rag, on other prompts",
        ),
    ],
)
def test_a_fault_of_the_study_is_named_with_what_to_do(what: AnyFault, words: str) -> None:
    assert words in wording.fault(what)


def test_faults_of_adapters_name_their_arms() -> None:
    assert wording.fault(STEPS).startswith("tuned: 5 optimiser steps in all")
    weak = NotLearnt(
        severity="forbids", arms=("tuned+rag",), adapter="tuned+rag", right=12, questions=50
    )
    assert wording.fault(weak) == (
        "tuned+rag answers 12 of 50 of its own training questions, so it was not trained enough "
        "to be judged; raise tune.epoch or tune.learning_rate, then tune.lora_r, or set tune.search"
    )
