import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ragtune.core.run_folder import RunFolder
from ragtune.results import table
from ragtune.results.agreement import Mark, keep
from ragtune.results.collect import collect
from ragtune.results.schema import Results
from ragtune.sources.records import Record
from tests.local.results.made_up import NOTES, REFUSAL, write_run

ARMS = ("base", "tuned", "rag", "tuned+rag")
NAMES = [f"Ann {n}" for n in range(30)]
ASKED = [Record(f"Who is number {n}?", name, document="a.md") for n, name in enumerate(NAMES)]
ASKED += [Record(f"Why is number {n}?", REFUSAL) for n in range(15)]
ANSWERS = {
    "base": ["nobody"] * 45,
    "tuned": [*NAMES[:10], *["nobody"] * 35],
    "rag": [*NAMES, *["Not in the documents."] * 15],
    "tuned+rag": [*NAMES, *["Not in the documents."] * 15],
}


def printed(results: Results, *, details: bool = False) -> str:
    console = Console(width=80, file=io.StringIO())
    console.print(table.render(results, details=details))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def many(folder: Path, **changes: Any) -> Results:
    """A run with enough questions for a verdict."""
    return write_run(folder, **{"arms": ARMS, "questions": ASKED, "texts": ANSWERS, **changes})


def test_right_answers_come_first_then_cost_latency_and_freshness(tmp_path: Path) -> None:
    text = printed(many(tmp_path))
    assert max(len(line) for line in text.splitlines()) <= 80
    heads = " ".join(text.splitlines()[2].split() + text.splitlines()[3].split())
    assert heads == "right once 1,000 answer slowest new arm of 45 95 % s answers s s 5 % s fact s"
    (row,) = (line.split() for line in text.splitlines() if line.startswith(" rag  "))
    assert row == ["rag", "45", "41-45", "1.5", "110", "0.03", "0.039", "0.75"]


def test_the_verdict_is_the_last_three_lines_in_plain_words(tmp_path: Path) -> None:
    text = printed(many(tmp_path))
    assert "every figure, cause and reason: --details" in text
    last = " ".join(text.split("--details")[1].split())
    assert last.startswith("Use retrieval: 45 of 45 right, 0.03 s an answer. Tuning ")
    for word in ("token F1", "flips", "recall", "Holm", "nats"):
        assert word not in text


def test_details_are_printed_on_request_and_before_the_verdict(tmp_path: Path) -> None:
    text = printed(many(tmp_path), details=True)
    words = " ".join(text.split())
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= 80
    for told in (
        "1010+2",
        "30/39",
        "retrieval: recall@4 1.00",
        "rag: 2 passages left out, 1 questions cut: no room",
        "right: base 0, tuned 10, rag 45, tuned+rag 45",
        "general text 4.500 → 4.750 nats a token (1.750 → 1.875 bits a byte)",
        "freshness: 1 documents changed, 0.75 s each from the change to an answer",
        "fits best: rag — ",
    ):
        assert told in words
    assert words.index("fits best") < words.index("Use retrieval: 45 of 45")


ALL = ("base", "fewshot", "tuned", "rag-records", "rag", "tuned+rag")


@pytest.mark.parametrize("details", [True, False])
def test_six_arms_fit_the_terminal_and_what_each_is_for_is_a_detail(
    tmp_path: Path, details: bool
) -> None:
    texts = {**ANSWERS, "fewshot": ANSWERS["tuned"], "rag-records": ANSWERS["tuned"]}
    needs = {"price_per_hour": 1.2, "watts": 60}
    text = printed(many(tmp_path, arms=ALL, texts=texts, needs=needs), details=details)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "…" not in text
    rows = [line.split()[0] for line in text.splitlines()[5:11]]
    assert rows == list(ALL)
    assert ("technique apart from corpus" in " ".join(text.split())) is details


def test_recall_and_the_spread_of_seeds_are_printed_without_being_asked_for(
    tmp_path: Path,
) -> None:
    other = [*NAMES[:20], *["nobody"] * 25]
    found = many(tmp_path, seeds={"tuned": [other], "tuned+rag": [ANSWERS["rag"]]}, learnt=46)
    text = printed(found)
    words = " ".join(text.split())
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "trained: tuned answers 46 of 50 of its own training questions, tuned+rag 46" in words
    assert "tuned 15 (10-20 over 2 seeds)" in words
    (row,) = (line.split() for line in text.splitlines() if line.startswith(" tuned  "))
    assert row[1] == "15"


def test_prices_and_energy_have_columns_where_they_are_known(tmp_path: Path) -> None:
    text = printed(many(tmp_path, needs={"price_per_hour": 1.2, "watts": 60}))
    assert max(len(line) for line in text.splitlines()) <= 80
    (row,) = (line.split() for line in text.splitlines() if line.startswith(" tuned  "))
    assert row[3:7] == ["60", "100", "0.033", "1.67"]


def test_categories_and_labels_needed_are_details(tmp_path: Path) -> None:
    asked = [replace(q, category="xyz"[n // 15]) for n, q in enumerate(ASKED)]
    study = {"arms": list(ARMS), "learning_curve": [0.25]}
    words = " ".join(printed(many(tmp_path, questions=asked, study=study), details=True).split())
    assert "by category, base/tuned/rag/tuned+rag: x (15) 0.00/0.67/1.00/1.00" in words
    assert "labels needed: tuned" in words


def test_an_arm_that_never_asked_its_model_has_no_rate(tmp_path: Path) -> None:
    text = printed(write_run(tmp_path, refusing="rag"), details=True)
    rows = [line.split() for line in text.splitlines() if line.startswith(" rag  ")]
    assert rows[2][1:4] == ["30/39", "10+8+12", "-"]


def test_few_questions_are_no_verdict(tmp_path: Path) -> None:
    words = " ".join(printed(write_run(tmp_path, ARMS)).split())
    assert "fault: 2 questions are too few; ask at least 30" in words
    assert "Undecided: 2 questions are too few to tell." in words
    assert "Use " not in words


def test_what_weakens_some_figures_is_a_detail(tmp_path: Path) -> None:
    results, told = many(tmp_path), "warning: latency percentiles are of 3 questions"
    assert told not in printed(results)
    assert told in printed(results, details=True)


@pytest.mark.parametrize("details", [True, False])
def test_what_a_person_says_is_a_detail(tmp_path: Path, details: bool) -> None:
    results = many(tmp_path)
    folder = RunFolder(tmp_path)
    marks = [
        Mark(question=ASKED[0].id, arm=arm, answer=ANSWERS[arm][0], right=arm != "base")
        for arm in ARMS
    ]
    keep(folder, marks)
    results = collect(results.recipe.filled, folder, NOTES)
    text = " ".join(printed(results, details=details).split())
    assert ("A person marked 4 answers without seeing the arm: 3 right" in text) is details
