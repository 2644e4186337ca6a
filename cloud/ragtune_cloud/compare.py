"""Local and cloud side by side: the same questions, the same metrics, base and tuned."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragtune.core.files import read_jsonl, write_json, write_text
from ragtune.recipe.schema import Recipe
from ragtune.results.rows import Answered
from ragtune.results.scores import Scores, judged, score
from ragtune.results.statistics import compare as paired
from ragtune.results.statistics import estimate
from ragtune.sources.records import Record as Question
from ragtune_cloud.evaluate import ANSWERS
from ragtune_cloud.fetch import FOLDER
from ragtune_cloud.jobs import Record

COMPARISON = Path("cloud") / "comparison.json"
PAGE = Path("cloud") / "comparison.html"
LABELS = {"base": "cloud tuned, fetched", "rag": "cloud tuned+rag, fetched"}
"""Arms of the fetched model's study: its base is the model that the cloud tuned."""


def compare(recipe: Recipe, run_folder: Path, record: Record | None) -> dict[str, Any]:
    """Every set of answers to the run's questions, scored; written as JSON and as a page.

    ``record`` names the job whose endpoints' answers are taken in.
    """
    questions = [Question(**row) for row in read_jsonl(run_folder / "data" / "test.jsonl")]
    answers = _answers(recipe, run_folder, record, questions)
    scores = {
        name: score(judged(questions, _answered(questions, texts), recipe.study.refusal))
        for name, texts in answers.items()
    }
    figures = {
        "questions": len(questions),
        "sides": {
            name: {m: estimate(values, recipe.seed).to_json() for m, values in found.items()}
            for name, found in scores.items()
        },
        "tuned_minus_base": _gains(scores, recipe.seed),
    }
    write_json(run_folder / COMPARISON, figures)
    write_text(run_folder / PAGE, page(recipe, questions, answers, figures))
    return figures


def show(figures: dict[str, Any]) -> str:
    """The comparison for a terminal."""
    lines = [
        f"{figures['questions']} held-out questions",
        f"{'':26}    F1      95 %  exact  ROUGE-L",
    ]
    for name, found in figures["sides"].items():
        low, high = found["token_f1"]["ci95"]
        lines.append(
            f"{name:26} {found['token_f1']['mean']:5.2f} {low:4.2f}-{high:4.2f} "
            f"{found['exact_match']['mean']:6.2f} {found['rouge_l']['mean']:8.2f}"
        )
    for place, gain in figures["tuned_minus_base"].items():
        low, high = gain["ci95"]
        lines.append(f"tuned - base, {place}: F1 {gain['mean']:+.2f} ({low:+.2f} to {high:+.2f})")
    return "\n".join(lines)


def page(
    recipe: Recipe,
    questions: Sequence[Question],
    answers: dict[str, list[str]],
    figures: dict[str, Any],
) -> str:
    """A self-contained page: the figures, then input, reference and every side's answer."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in ("question", "reference", *answers))
    rows = []
    for number, question in enumerate(questions):
        cells = [question.instruction, question.response]
        cells += [texts[number] for texts in answers.values()]
        rows.append("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in cells) + "</tr>")
    return (
        '<!doctype html><meta charset="utf-8">'
        f"<title>{html.escape(recipe.name)}: local and cloud</title>"
        "<style>body{font-family:sans-serif;margin:2em}td,th{border:1px solid #ccc;padding:.4em;"
        "vertical-align:top;text-align:left}table{border-collapse:collapse}</style>"
        f"<h1>{html.escape(recipe.name)}: local and cloud</h1>"
        f"<pre>{html.escape(show(figures))}</pre>"
        f"<table><tr>{head}</tr>{''.join(rows)}</table>\n"
    )


def _answers(
    recipe: Recipe, run_folder: Path, record: Record | None, questions: Sequence[Question]
) -> dict[str, list[str]]:
    """The texts of every set that answers all of the questions, by the name it is shown under."""
    files = {f"local {arm}": run_folder / "answers" / f"{arm}.jsonl" for arm in recipe.arms}
    if record is not None:
        folder = run_folder / ANSWERS / record.job
        files |= {f"cloud {side}": folder / f"{side}.jsonl" for side in ("base", "tuned")}
    for study in sorted((run_folder / FOLDER / "runs").glob("*/answers")):
        files |= {label: study / f"{arm}.jsonl" for arm, label in LABELS.items()}
    found = {
        name: {row["question"]: row["text"] for row in read_jsonl(path)}
        for name, path in files.items()
        if path.exists()
    }
    ids = [question.id for question in questions]
    return {
        name: [texts[one] for one in ids] for name, texts in found.items() if set(ids) <= set(texts)
    }


def _answered(questions: Sequence[Question], texts: Sequence[str]) -> list[Answered]:
    both = zip(questions, texts, strict=True)
    return [Answered(question=question.id, text=text) for question, text in both]


def _gains(scores: dict[str, Scores], seed: int) -> dict[str, Any]:
    gains = {}
    for place in ("local", "cloud"):
        named = {side: f"{place} {side}" for side in ("tuned", "base")}
        both = {side: scores[name]["token_f1"] for side, name in named.items() if name in scores}
        if len(both) == 2:
            (pair,) = paired(both, seed)
            gains[place] = {"mean": pair.mean, "ci95": list(pair.ci95)}
    return gains
