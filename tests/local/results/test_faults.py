from typing import Any

import pytest

from ragtune.recipe.arms import Adapter, Arm
from ragtune.recipe.schema import Study
from ragtune.results import diagnosis
from ragtune.results.diagnosis import Tuned, faults
from ragtune.results.faults import (
    FAULTS,
    AnswersCut,
    AnswersUnchanged,
    AnyFault,
    FewLatencies,
    FewQuestions,
    FewSteps,
    LongReferences,
    LossUnmoved,
    NotLearnt,
    NoValidation,
    ResidueDropped,
)
from ragtune.results.rows import AnswerRow
from ragtune.results.schema import HeldoutLoss, Recall, Training
from tests.local.results.made_up import TRAINING

CENSUS = {
    "rows": 400,
    "tokens": 40_000,
    "supervised": 20_000,
    "longest": 200,
    "rows_cut": 0,
    "rows_without_supervision": 0,
    "rows_straddling": 0,
    "train_samples": 100,
    "validation_samples": 10,
    "samples_dropped_an_epoch": 0,
    "steps_an_epoch": 25,
}


def training(steps: int = 100, **census: int) -> Training:
    each = [{"step": n, "loss": 1.0, "learning_rate": 1e-4} for n in range(steps)]
    return Training.model_validate({**TRAINING, "steps": each, "census": {**CENSUS, **census}})


def answers(
    texts: str, count: int = 40, tokens: int = 5, reference: int | None = 5
) -> list[AnswerRow]:
    return [
        AnswerRow(
            question=str(n),
            text=f"{texts} {n}",
            prompt_tokens=9,
            completion_tokens=tokens,
            cut_tokens=0,
            seconds=0.1,
            reference_tokens=reference,
        )
        for n in range(count)
    ]


def seen(given: dict[Arm, list[AnswerRow]] | None = None, **changes: Any) -> list[AnyFault]:
    counts = {name: changes.pop(name, count) for name, count in (("judged", 40), ("timed", 32))}
    given = given or {"base": answers("no"), "tuned": answers("six")}
    adapters: dict[Adapter, Tuned] = {"tuned": Tuned(arms=("tuned",), **changes)}
    return faults(Study(max_new_tokens=24), given, adapters=adapters, **counts)


def test_a_sound_study_has_no_fault() -> None:
    moved = HeldoutLoss(base=3.0, tuned=2.0, tokens=9)
    assert seen(training=training(), heldout=moved) == []


def test_answers_as_long_as_the_limit_are_counted_by_arm() -> None:
    """Where references fit, the model talks on; where they do not, it had no chance."""
    given: dict[Arm, list[AnswerRow]] = {
        "base": answers("no", tokens=24),
        "tuned": answers("six", tokens=24)[:2] + answers("x")[2:],
    }
    (cut,) = seen(given)
    assert cut == AnswersCut(
        severity="weakens", arms=("base",), limit=24, cut={"base": 40, "tuned": 2}, questions=40
    )
    long: dict[Arm, list[AnswerRow]] = {
        arm: [r.model_copy(update={"reference_tokens": 200}) for r in rows]
        for arm, rows in given.items()
    }
    references, cut = seen(long)
    assert references == LongReferences(
        severity="forbids",
        arms=("base", "tuned"),
        limit=24,
        longer=40,
        questions=40,
        longest=200,
    )
    assert cut.severity == "forbids"


def test_a_few_long_references_weaken_a_verdict_and_do_not_forbid_it() -> None:
    rows = answers("no")
    rows[0] = rows[0].model_copy(update={"reference_tokens": 25})
    (few,) = seen({"base": rows})
    assert isinstance(few, LongReferences)
    assert (few.severity, few.longer) == ("weakens", 1)
    assert seen({"base": answers("no", reference=None)}) == []  # of an older run


def test_few_optimiser_steps_forbid_a_verdict_against_tuning() -> None:
    found = seen(training=training(steps=59))
    assert found == [FewSteps(severity="forbids", arms=("tuned",), steps=59)]
    assert seen(training=training(steps=60)) == []


def test_what_no_step_sees_and_a_missing_validation_sample_weaken_it() -> None:
    found = seen(training=training(residue=2000, samples_dropped_an_epoch=4, validation_samples=0))
    assert found == [
        ResidueDropped(severity="weakens", arms=("tuned",), share=round(1 - 0.95 * 0.96, 6)),
        NoValidation(severity="weakens", arms=("tuned",)),
    ]
    assert seen(training=training(residue=400, samples_dropped_an_epoch=1)) == []


def test_validation_samples_are_not_missed_where_none_were_asked_for() -> None:
    assert seen(training=training(validation_samples=0), validates=False) == []


def test_an_adapter_that_does_not_answer_its_training_questions_was_not_trained() -> None:
    assert seen(recall=Recall(right=24, questions=50)) == [
        NotLearnt(severity="forbids", arms=("tuned",), adapter="tuned", right=24, questions=50)
    ]
    assert seen(recall=Recall(right=25, questions=50)) == []


def test_few_steps_are_no_fault_of_an_adapter_that_has_learnt_its_rows() -> None:
    known = Recall(right=40, questions=50)
    assert seen(training=training(steps=20), recall=known) == []
    still = HeldoutLoss(base=3.0, tuned=3.0, tokens=9)
    found = seen(training=training(steps=20), recall=known, heldout=still)
    assert [fault.kind for fault in found] == ["few_steps", "loss_unmoved"]


def test_a_fault_of_one_adapter_is_none_of_the_other() -> None:
    adapters: dict[Adapter, Tuned] = {
        "tuned": Tuned(arms=("tuned",), training=training(steps=5)),
        "tuned+rag": Tuned(arms=("tuned+rag",), training=training()),
    }
    given: dict[Arm, list[AnswerRow]] = {"tuned": answers("six"), "tuned+rag": answers("at six")}
    (few,) = faults(Study(max_new_tokens=24), given, judged=40, timed=32, adapters=adapters)
    assert few == FewSteps(severity="forbids", arms=("tuned",), steps=5)


def test_a_held_out_loss_that_does_not_move_forbids_a_verdict_against_tuning() -> None:
    still = HeldoutLoss(base=3.0, tuned=2.98, tokens=9)
    assert seen(heldout=still) == [
        LossUnmoved(severity="forbids", arms=("tuned",), base=3.0, tuned=2.98)
    ]
    assert seen(heldout=HeldoutLoss(base=3.0, tuned=2.96, tokens=9)) == []


def test_a_tuned_arm_that_answers_as_the_arm_without_tuning_is_named() -> None:
    given: dict[Arm, list[AnswerRow]] = {
        "base": answers("no"),
        "tuned": answers("six"),
        "rag": answers("at six"),
        "tuned+rag": answers("at Six"),
    }
    assert seen(given) == [
        AnswersUnchanged(
            severity="forbids", arms=("tuned+rag",), other="rag", same=40, questions=40
        )
    ]


def test_few_questions_and_few_latencies() -> None:
    assert seen(judged=19)[0].severity == "forbids"
    assert seen(judged=29, timed=19) == [
        FewQuestions(severity="weakens", arms=("base", "tuned"), questions=29),
        FewLatencies(severity="weakens", arms=("base", "tuned"), questions=19),
    ]


def test_a_fault_is_read_from_its_json() -> None:
    for fault in seen(judged=9, training=training(steps=5)):
        assert FAULTS.validate_python(fault.to_json()) == fault


def test_answers_of_which_most_differ_are_compared_no_further(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def counted(text: str) -> str:
        asked.append(text)
        return text.lower()

    monkeypatch.setattr(diagnosis, "normalised", counted)

    def unchanged(same: int) -> list[AnyFault]:
        tuned = answers("desk", 100)[:same] + answers("no", 100)[same:]
        given: dict[Arm, list[AnswerRow]] = {"base": answers("Desk", 100), "tuned": tuned}
        return list(diagnosis._unchanged(given))

    (fault,) = unchanged(97)
    assert isinstance(fault, AnswersUnchanged)
    assert fault.same == 97
    assert len(unchanged(95)) == 1
    assert unchanged(94) == []
    asked.clear()
    assert unchanged(0) == []
    assert len(asked) == 12
