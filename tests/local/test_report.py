import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local.recipe import Recipe
from local.records import Record
from local.report import page, table
from local.runs import write_json, write_jsonl
from local.study import results

REFUSAL = "not in the documents"


@pytest.fixture
def figures(tmp_path: Path) -> dict[str, Any]:
    """Figures of a made-up run of two arms over three questions, one of them unanswerable."""
    recipe = Recipe.model_validate(
        {
            "name": "made-up",
            "records": {"source": "r"},
            "documents": {"source": "d"},
            "study": {"arms": ["base", "rag"]},
        }
    )
    questions = [
        Record("Who?", "Ann", document="a.md"),
        Record("When & <where>?", "at six", document="b.md"),
        Record("Why?", REFUSAL),
    ]
    texts = {"base": ["Bob", "at six", "because"], "rag": ["Ann", "six", "Not in the documents."]}
    passage = {"id": "1", "document": "a.md", "locator": "p. 2", "text": "Ann.", "score": 0.5}
    for arm, said in texts.items():
        rows = [
            {
                "question": q.id,
                "text": text,
                "prompt_tokens": 1010,
                "completion_tokens": 2,
                "cut_tokens": 5 if text == said[0] else 0,
                "seconds": 0.1,
                "retrieved": (3 if text == said[0] else 1) if arm == "rag" else 0,
                "sources": [passage] if arm == "rag" else [],
            }
            for q, text in zip(questions, said, strict=True)
        ]
        write_jsonl(tmp_path / "answers" / f"{arm}.jsonl", rows)
        times = [{"retrieval": 0.01, "generation": 0.01 * n} for n in (1, 2, 3)]
        write_jsonl(tmp_path / "latency" / f"{arm}.jsonl", times)
    found = [{"question": q.id, "passages": [passage]} for q in questions]
    write_jsonl(tmp_path / "retrieval.jsonl", found)
    write_jsonl(tmp_path / "data" / "test.jsonl", [vars(q) for q in questions])
    lock = {"stages": {"index": {"seconds": 1.5}}, "environment": {"ragtune": "x"}}
    collected = results.collect(recipe, tmp_path, lock)
    write_json(tmp_path / "results.json", collected)
    return collected


def test_figures_follow_from_the_answers(figures: dict[str, Any]) -> None:
    base, rag = figures["arms"]["base"], figures["arms"]["rag"]
    assert figures["unanswerable"] == 1
    assert base["quality"]["exact_match"]["mean"] == 0.5
    assert rag["quality"]["token_f1"]["mean"] == pytest.approx((1 + 2 / 3) / 2, abs=1e-6)
    assert rag["refusal"]["unanswerable_refused"]["mean"] == 1.0
    assert base["refusal"]["unanswerable_refused"]["mean"] == 0.0
    assert rag["refusal"]["answerable_refused"]["mean"] == 0.0
    assert rag["latency_ms"] == {
        "p50": 30.0,
        "p95": pytest.approx(39.0),
        "retrieval_p50": 10.0,
        "questions": 3,
    }
    assert figures["retrieval"]["recall_at_k"]["mean"] == 0.5
    (pair,) = [d for d in figures["differences"] if d["metric"] == "exact_match"]
    assert (pair["left"], pair["right"], pair["mean"]) == ("base", "rag", 0.0)


def test_the_table_fits_eighty_columns_and_holds_the_figures(figures: dict[str, Any]) -> None:
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    console.print(table.render(figures))
    console.file.close()
    text = console.export_text()
    assert "…" not in text
    assert "0.83" in text
    assert "1.00" in text
    assert "1010+2" in text
    assert "recall@4 0.50" in text
    assert "base: 1 questions cut for want of room" in text
    assert "rag: 2 passages left out, 1 questions cut for want of room" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_the_page_shows_every_answer_and_its_passages_and_asks_for_nothing(
    figures: dict[str, Any], tmp_path: Path
) -> None:
    html = page.render(tmp_path, figures)
    assert "When &amp; &lt;where&gt;?" in html
    assert '<span class="right">Ann</span>' in html
    assert "<span>Bob</span>" in html
    assert "[1] a.md, p. 2" in html
    assert "rag fits best" in html or "base fits best" in html
    assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(?!data:)\w+:", html)
    assert "<script" not in html
    assert page.render(tmp_path, figures) == html


def test_the_page_shows_the_losses_and_what_was_tuned_otherwise(
    figures: dict[str, Any], tmp_path: Path
) -> None:
    epochs = [{"epoch": 1, "train_loss": 2.5, "eval_loss": 2.25, "learning_rate": 1e-4}]
    training = {
        "epochs": epochs,
        "steps": [{"step": n, "loss": 3.0 - n, "learning_rate": 1e-4} for n in (1, 2)],
        "best_epoch": 1,
        "substitutions": ["micro-batches of 1 instead of 4: memory is short"],
    }
    html = page.render(tmp_path, {**figures, "tune": training})
    assert "2.2500" in html
    assert html.count('<img class="plot" src="data:image/svg+xml;base64,') == 2
    assert "Tuned otherwise than asked: micro-batches of 1 instead of 4" in html
    assert page.render(tmp_path, {**figures, "tune": training}) == html
    assert page.render(tmp_path, figures).count('<img class="plot"') == 1
