import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from ragtune.results import table
from ragtune.results.schema import Results
from tests.local.results.made_up import QUESTIONS, write_run


def printed(results: Results) -> str:
    console = Console(width=80, file=io.StringIO())
    console.print(table.render(results))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_table_fits_eighty_columns_and_holds_the_figures(tmp_path: Path) -> None:
    text = printed(write_run(tmp_path))
    assert "…" not in text
    assert "0.83" in text
    assert "1.00" in text
    assert "1010+2" in text
    assert "recall@4 0.50" in text
    assert "base: 1 questions cut: no room" in text
    assert "rag: 2 passages left out, 1 questions cut: no room" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_the_table_says_why_answers_failed_and_what_would_change_the_verdict(
    tmp_path: Path,
) -> None:
    arms = ("base", "tuned", "rag", "tuned+rag")
    text = " ".join(printed(write_run(tmp_path, arms)).split())
    assert "right: base 1, tuned 1, rag 3, tuned+rag 3" in text
    assert "retrieval fixed it 3" in text
    assert "tuning forgot it 1" in text  # "at noon" for "at six" is wrong by its value
    assert "warning: only 2 questions: a hint, not a finding" in text
    assert "no verdict — the best, base, has right 0.50; 2 questions are too few" in text
    assert "break-even: tuned costs less than rag from 488 queries a month" in text


def test_every_claim_has_its_figure_in_eighty_columns(tmp_path: Path) -> None:
    arms = ["base", "tuned", "rag", "tuned+rag"]
    figures = write_run(
        tmp_path,
        tuple(arms),
        [replace(q, category=c) for q, c in zip(QUESTIONS, "xyy", strict=True)],
        needs={"price_per_hour": 1.2, "watts": 60},
        study={"arms": arms, "learning_curve": [0.25]},
    )
    text = printed(figures)
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= 80
    _, times, costs = (row.split() for row in text.splitlines() if row.startswith(" tuned  "))
    assert times == ["tuned", "30/39", "10+8+12", "10", "1010+2"]
    assert costs == ["tuned", "60", "100", "0.033", "1.67", "60"]
    words = " ".join(text.split())
    assert "general text 4.500 → 4.750 nats a token (1.750 → 1.875 bits a byte)" in words
    assert "25% of 24 continuations unchanged" in words
    assert "freshness: 1 documents changed, 0.75 s each from the change to an answer" in words
    assert "the new fact was in 1 prompts, 1 answers changed to it" in words
    assert "labels needed: tuned right 0.50 with 50, 0.50 with 200 records; from 50 on" in words
    assert "right by category, base/tuned/rag/tuned+rag: x (1) 0.00/1.00/1.00/1.00" in words
    assert "grounded, the share of an answer's words that are in its sources: rag 0.33" in words
    assert "low initial cost (1.5 s of indexing, 60 s of tuning)" in words
    assert "1 optimiser steps in all, where about 60 are needed" in words


def test_an_arm_that_never_asked_its_model_has_no_rate(tmp_path: Path) -> None:
    text = printed(write_run(tmp_path, refusing="rag"))
    _, times, _ = (row.split() for row in text.splitlines() if row.startswith(" rag  "))
    assert times[1:4] == ["30/39", "10+8+12", "-"]
