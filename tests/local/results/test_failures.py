import pytest

from ragtune.recipe.arms import USUAL as ARMS
from ragtune.recipe.arms import Arm
from ragtune.results.failures import analyse, flips_of
from ragtune.results.rightness import is_right
from ragtune.results.rows import AnswerRow
from ragtune.results.schema import Step
from ragtune.retrieval.passages import Passage
from ragtune.sources.records import Record

REFUSAL = "not in the documents"


def passage(document: str) -> Passage:
    return Passage(document, document, "", "text", 1.0)


def answer(text: str, sources: list[Passage] | None = None, *, refused: bool = False) -> AnswerRow:
    return AnswerRow(
        question="",
        text=text,
        prompt_tokens=1,
        completion_tokens=1,
        cut_tokens=0,
        seconds=0.1,
        sources=sources or [],
        refused=refused,
    )


@pytest.mark.parametrize(
    ("right", "flips"),
    [
        ("", []),
        ("base tuned rag tuned+rag", []),
        ("tuned+rag", ["only_both"]),
        ("rag tuned+rag", ["retrieval_fixed"]),
        ("rag", ["retrieval_fixed", "tuning_forgot"]),
        ("tuned", ["retrieval_broke", "tuning_fixed"]),
        ("tuned tuned+rag", ["tuning_fixed"]),
        ("base rag", ["tuning_forgot"]),
        ("base tuned", ["retrieval_broke"]),
    ],
)
def test_flips_follow_from_which_arms_are_right(right: str, flips: list[str]) -> None:
    assert flips_of({arm: arm in right.split() for arm in ARMS}) == flips


def test_an_answer_is_right_by_the_judge_and_a_refusal_in_any_words() -> None:
    assert is_right(Record("When?", "at six"), "six o'clock at night", [REFUSAL])
    assert not is_right(Record("When?", "at six"), "at seven", [REFUSAL])  # F1 is 0.5
    assert is_right(Record("q", REFUSAL), "I do not know.", [REFUSAL])
    assert not is_right(Record("q", REFUSAL), "in the documents", [REFUSAL])
    assert is_right(Record("q", "pass"), "We pass on that.", ["pass"])


def test_wrong_answers_are_counted_apart_by_what_retrieval_did() -> None:
    questions = [
        Record("misread", "six", document="gold"),
        Record("not found", "six", document="gold"),
        Record("left out", "six", document="gold"),
        Record("refused", "six", document="gold"),
        Record("not refused", REFUSAL),
        Record("no gold", "six"),
        Record("right", "six", document="gold"),
    ]
    found = [[passage("other"), passage("gold")] for _ in questions]
    found[1] = [passage("other")]
    texts = ["seven"] * 6 + ["six"]
    shown = [2, 1, 1, 0, 2, 2, 2]
    lines = [
        answer(text, passages[:count], refused=not count)
        for text, passages, count in zip(texts, found, shown, strict=True)
    ]
    base = [answer(text) for text in ["six", *["seven"] * 6]]
    seen = analyse(questions, {"base": base, "rag": lines}, found, [REFUSAL])
    causes = ["misread", "not_found", "left_out", "refused", "not_refused", "no_gold"]
    assert seen.causes == {"rag": dict.fromkeys(causes, 1)}
    assert [q.causes.get("rag") for q in seen.questions] == [*causes, None]
    assert [q.gold_rank for q in seen.questions] == [2, None, 2, 2, None, None, 2]
    assert seen.right == {"base": 1, "rag": 1}
    assert seen.flips["retrieval_fixed"] == seen.flips["retrieval_broke"] == 1
    assert "only_both" not in seen.flips  # for want of arms
    assert seen.steps == [Step(adds="retrieval", before="base", after="rag", fixed=1, broke=1)]


def test_examples_and_records_are_looked_at_beside_base() -> None:
    question = Record("When?", "six", document="gold")
    texts: dict[Arm, str] = {"base": "five", "fewshot": "six", "rag-records": "five", "rag": "six"}
    given = {arm: [answer(text)] for arm, text in texts.items()}
    seen = analyse([question], given, [[passage("gold")]], [REFUSAL])
    assert seen.flips == {
        "retrieval_fixed": 1,
        "retrieval_broke": 0,
        "examples_fixed": 1,
        "examples_broke": 0,
        "records_fixed": 0,
        "records_broke": 0,
    }
    assert [(s.adds, s.after, s.fixed) for s in seen.steps] == [
        ("retrieval", "rag", 1),
        ("examples", "fewshot", 1),
        ("records", "rag-records", 0),
    ]
    assert set(seen.causes) == {"rag"}  # gold documents are not among the records
