import io
from pathlib import Path
from typing import Any

from rich.console import Console

from local.report import table
from tests.local.made_up import write_run


def printed(figures: dict[str, Any]) -> str:
    console = Console(width=80, file=io.StringIO())
    console.print(table.render(figures))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_table_fits_eighty_columns_and_holds_the_figures(tmp_path: Path) -> None:
    text = printed(write_run(tmp_path))
    assert "…" not in text
    assert "0.83" in text
    assert "1.00" in text
    assert "1010+2" in text
    assert "recall@4 0.50" in text
    assert "base: 1 questions cut for want of room" in text
    assert "rag: 2 passages left out, 1 questions cut for want of room" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_the_table_says_why_answers_failed_and_what_would_change_the_verdict(
    tmp_path: Path,
) -> None:
    arms = ("base", "tuned", "rag", "tuned+rag")
    text = " ".join(printed(write_run(tmp_path, arms)).split())
    assert "right (token F1 from 0.5): base 1, tuned 2, rag 3, tuned+rag 3" in text
    assert "retrieval fixed it 2" in text
    assert "tuning forgot it 0" in text
    assert "only 2 questions: a hint, not a finding" in text
    assert "would change it: a p95 limit under 39 ms → none" in text
    assert "break-even: tuned costs less than rag from 488 queries a month" in text


def test_wrong_answers_are_told_apart_by_what_retrieval_did(tmp_path: Path) -> None:
    figures = write_run(tmp_path)
    figures["failures"]["causes"] = {"rag": {"misread": 3, "not_found": 2, "no_gold": 1}}
    assert "rag wrong: gold not found 2, misread 3" in printed(figures)
