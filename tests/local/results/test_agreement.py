import json
from pathlib import Path

import pytest

from ragtune.core.errors import RunError
from ragtune.core.run_folder import RunFolder
from ragtune.results.agreement import Mark, agreement, kappa, keep, marks
from ragtune.results.collect import collect
from tests.local.results.made_up import NOTES, QUESTIONS, TEXTS, write_run


def test_kappa_is_cohens() -> None:
    """His table of 1960's kind: 20, 5, 10, 15 of 50 give 0.7 equal, 0.5 by chance, 0.4."""
    pairs = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    found = kappa(pairs)
    assert (found.answers, found.share.mean) == (50, 0.7)
    assert found.kappa is not None
    assert found.kappa.mean == pytest.approx(0.4)
    low, high = found.kappa.ci95
    assert (low, high) == pytest.approx((0.125, 0.618), abs=0.01)


def test_perfect_agreement_has_an_interval_and_equal_verdicts_have_no_kappa() -> None:
    found = kappa([(True, True), (False, False)] * 10)
    assert found.kappa is not None
    assert found.kappa.mean == 1.0
    assert 0.6 < found.kappa.ci95[0] < 0.75
    assert kappa([(True, True)] * 5).kappa is None


def mark(n: int, arm: str, right: bool | None, answer: str = "") -> Mark:
    return Mark(question=QUESTIONS[n].id, arm=arm, answer=answer or TEXTS[arm][n], right=right)


def test_each_judge_is_held_against_the_marks_of_what_is_still_there(tmp_path: Path) -> None:
    results = write_run(tmp_path, ("base", "rag"))
    folder = RunFolder(tmp_path)
    assert results.agreement is None
    keep(
        folder,
        [
            mark(0, "base", False),
            mark(0, "rag", True),
            mark(1, "base", None),
            mark(2, "rag", True),
            mark(1, "rag", True, answer="an answer of before"),
            mark(1, "tuned", True),
        ],
    )
    found = collect(results.recipe.filled, folder, NOTES).agreement
    assert found is not None
    assert (found.marked, found.right, found.skipped) == (3, 2, 1)
    assert (found.by["right"].answers, found.by["right"].share.mean) == (3, 1.0)
    assert found.by["token_f1"].answers == 2  # the third has no answer, so metrics skip it
    assert next(iter(found.by)) == "right"


def test_nothing_but_skips_is_no_agreement(tmp_path: Path) -> None:
    results = write_run(tmp_path, ("base", "rag"))
    given = [mark(0, "base", None)]
    assert agreement(given, {"base": []}, results.failures.model_copy(update={"questions": []}),
                     {"base": {}}, []) is None  # fmt: skip


def test_marks_are_lines_and_a_broken_one_is_named(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert marks(folder) == []
    keep(folder, [mark(0, "base", True)])
    assert [json.loads(line) for line in folder.labels.read_text().splitlines()] == [
        {"question": QUESTIONS[0].id, "arm": "base", "answer": "Bob", "right": True}
    ]
    folder.labels.write_text('{"question": "x"}\n')
    with pytest.raises(RunError, match=r"labels.jsonl: arm: Field required; mend or delete it"):
        marks(folder)
