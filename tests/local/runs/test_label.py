from pathlib import Path

from ragtune.core.run_folder import RunFolder
from ragtune.results.agreement import marks
from ragtune.results.schema import Results
from ragtune.runs.label import Drawn, Key, draw, label
from ragtune.sources.records import Record
from tests.local.results.made_up import write_run

ARMS = ("base", "tuned", "rag", "tuned+rag")
QUESTIONS = [Record(f"Question {n}?", f"Ann {n}", document="a.md") for n in range(40)]
ANN = [f"Ann {n}" for n in range(40)]
TEXTS = {
    "base": [f"nobody {n}" for n in range(40)],
    "tuned": [*ANN[:20], *["Bob"] * 20],
    "rag": [*[f"It is {name}" for name in ANN[:30]], *["Eve"] * 10],
    "tuned+rag": [f"Surely {name}" for name in ANN],
}


def made(folder: Path) -> Results:
    return write_run(folder, ARMS, QUESTIONS, TEXTS)


def test_answers_are_spread_over_arms_and_over_right_and_wrong(tmp_path: Path) -> None:
    results = made(tmp_path)
    drawn = draw(results, RunFolder(tmp_path), 48)
    judged = {row.question: row for row in results.failures.questions}
    strata = [(d.arm, judged[d.question.id].right[d.arm]) for d in drawn]
    assert len(drawn) == 48
    for stratum in set(strata):
        assert 7 <= strata.count(stratum) <= 9
    assert drawn == draw(results, RunFolder(tmp_path), 48)
    assert [d.arm for d in drawn[:8]] != sorted(d.arm for d in drawn[:8])


def test_the_same_answer_to_a_question_is_asked_for_once(tmp_path: Path) -> None:
    texts = {arm: ["nobody"] * 40 for arm in ARMS}
    results = write_run(tmp_path, ARMS, QUESTIONS, texts)
    assert len(draw(results, RunFolder(tmp_path), 100)) == 40


def test_marks_are_kept_one_by_one_and_a_later_call_goes_on(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    drawn = draw(made(tmp_path), folder, 6)
    keys: list[Key] = ["y", "n", "s", "q"]
    kept, seen = [], []

    def ask(one: Drawn, number: int, of: int) -> Key:
        kept.append(len(marks(folder)))
        seen.append((number, of))
        return keys[len(kept) - 1]

    given = label(folder, drawn, ask)
    assert kept == [0, 1, 2, 3]
    assert [mark.right for mark in given] == [True, False, None]
    assert given == marks(folder)

    again: list[int] = []

    def go_on(one: Drawn, number: int, of: int) -> Key:
        again.append(number)
        return "y"

    assert len(label(folder, drawn, go_on)) == 6
    assert again == [4, 5, 6]
