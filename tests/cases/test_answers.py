"""Right answers are right and wrong ones wrong, in other scripts, notations and lengths."""

import json
from pathlib import Path

import pytest

from scripts.bench.judging import judgement
from tests.cases.case import figures, shared

CJK = [
    ("港口几点开门", "早上六点半", "六点半开门。", "晚上八点"),
    ("谁保管钥匙", "李明", "由李明保管。", "王芳"),
    ("船票多少钱", "三十元", "30元", "二十元"),
    ("演习在哪个月", "四月和十月", "在四月和十月举行", "十二月"),
    ("鐘は何回鳴りますか。", "二回", "二回です。", "三回です。"),
    ("担当者は誰ですか。", "田中さん", "田中さんです", "山本さん"),
    ("เรือชื่ออะไร", "นกทะเล", "เรือชื่อนกทะเล", "ปลาวาฬ"),
]
NUMBERS = [
    ("What dose is given?", "2.5 mg", "2.50 mg", "25 mg"),
    ("How cold is the hold?", "-8 °C", "\u22128 °C", "8 °C"),
    ("What is the rate?", "4.5%", "4.5 percent", "45%"),
    ("What does a card cost?", "$2.30", "2.30 dollars", "$230"),
    ("When does it start?", "8:15", "08:15", "815"),
    ("Which version is it?", "3.0.4", "v3.0.4", "304"),
    ("How many seats?", "1,200", "1200", "12"),
]
VERBOSE = [
    ("May dogs board?", "yes", "Yes, dogs may board with their owners.", "no"),
    ("Is fishing allowed?", "no", "No, fishing is not allowed from the pier.", "yes"),
    ("Who keeps the log?", "Eva Lund", "The log is kept by Eva Lund, the first mate.", "Eva Berg"),
    ("What does soup cost?", "3 crowns", "In the canteen a soup costs 3 crowns.", "4 crowns"),
    ("Which colours has the sail?", "blue and white", "It has two colours: white and blue.", "red"),
    ("When does it close?", "at ten", "It is closed each evening at ten o'clock.", "at nine"),
]
KINDS = {"scripts without spaces": CJK, "numbers": NUMBERS, "verbose": VERBOSE}


@pytest.mark.parametrize("kind", KINDS)
def test_the_arm_that_is_right_is_right_on_all_and_the_other_on_none(
    kind: str, tmp_path: Path
) -> None:
    rows = KINDS[kind]
    questions = [{"instruction": asked, "response": reference} for asked, reference, _, _ in rows]
    answers = {"base": [wrong for *_, wrong in rows], "rag": [right for _, _, right, _ in rows]}
    found = figures(tmp_path, questions, answers)
    assert found.failures.right == {"base": 0, "rag": len(rows)}
    assert found.deciding.metric == "right"
    assert found.arms["rag"].quality["right"].mean == 1


@pytest.mark.parametrize(
    ("case", "right"),
    [
        ("cjk-answers", {"base": 0, "rag": 9}),
        ("numbers", {"base": 0, "rag": 8}),
        ("verbose-answers", {"base": 8, "tuned": 1}),  # the first "yes" is right
    ],
)
def test_the_reported_answers(
    case: str, right: dict[str, int], shared_cases: Path, tmp_path: Path
) -> None:
    found = shared(shared_cases / case, tmp_path)
    assert found.failures.right == right


def test_the_judge_agrees_with_people(shared_cases: Path) -> None:
    lines = (shared_cases / "scores.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    agreed = sum((judgement(row) == "right") == row["right"] for row in rows)
    assert len(rows) == 72
    assert agreed >= 69
